"""Conflicts predicted from the repository's history, on the command line."""

import subprocess

from tests.e2e.conftest import Shell

PLAN = """
version: 1
tasks:
  - {id: expire, command: "echo a >> session.py", prompt: Sessions expire after an hour}
  - {id: log, command: "echo b >> session.py", prompt: Expired sessions are logged%s}
"""


def past(shell: Shell) -> None:
    """Make a hundred changes of four modules, each with words of its own."""
    texts = ("Expire sessions", "Match routes", "Send mails", "Render pages")
    commits = []
    for number in range(100):
        text = texts[number % len(texts)]
        name = text.split()[1].removesuffix("s")
        message = f"{text} in step {number}"
        commits.append(
            f"commit refs/heads/main\ncommitter A <a@example.org> {1_700_000_000 + number} +0000\n"
            f"data {len(message)}\n{message}\nM 100644 inline {name}.py\n"
            f"data {len(str(number)) + 1}\n{number}\n\n"
        )
    (shell.top.parent / "past").write_text("".join(commits))
    shell.git("checkout", "-q", "--orphan", "scratch")
    with (shell.top.parent / "past").open() as stream:
        subprocess.run(
            ["git", "fast-import", "--quiet", "--force"],
            cwd=shell.top,
            env=shell.env,
            stdin=stream,
            check=True,
        )
    shell.git("checkout", "-q", "-f", "main")


def test_the_past_keeps_two_tasks_apart_until_their_author_knows_better(shell: Shell) -> None:
    past(shell)
    shell.write("plan.yaml", PLAN % "")
    first = shell.pex("check", "plan.yaml")
    assert first.returncode == 0, first.stderr
    assert "Serialized: 1 pair" in first.stdout
    assert "both will probably change session.py (" in first.stdout
    assert shell.pex("check", "plan.yaml").stdout == first.stdout  # from the stored index

    ended = shell.pex("run", "plan.yaml", "--headless", "--name", "apart")
    assert ended.returncode == 0, ended.stderr
    assert shell.git("show", "pex/apart:session.py").split()[1:] == ["a", "b"]

    shell.write("plan.yaml", PLAN % ", beside: [expire]")
    lifted = shell.pex("check", "plan.yaml")
    assert "Serialized: nothing" in lifted.stdout
    assert "expire and log may conflict (" in lifted.stdout

    shell.write("plan.yaml", PLAN % ", beside: [expier, log]")
    wrong = shell.pex("check", "plan.yaml")
    assert wrong.returncode == 2
    assert 'may run beside "expier", which is not in the plan' in wrong.stderr
    assert "is to run beside itself" in wrong.stderr


def test_a_new_repository_is_predicted_with_less_certainty_and_that_is_said(shell: Shell) -> None:
    shell.write("plan.yaml", PLAN % "")

    ended = shell.pex("check", "plan.yaml")

    assert ended.returncode == 0, ended.stderr
    assert "uncertain" in ended.stdout
    assert "Predicted from 1 past change: uncertain" in ended.stdout
    assert "only declared writes and names in prompts count" in " ".join(ended.stdout.split())


def test_globs_that_match_nothing_are_named_before_the_start(shell: Shell) -> None:
    shell.write(
        "plan.yaml",
        "tasks:\n  - {id: a, command: 'echo x > new.txt', writes: [new.txt, nowhere/deep/*.py]}\n",
    )

    told = shell.pex("check", "plan.yaml")

    assert told.returncode == 0
    assert "a is to write nowhere/deep/*.py, which matches nothing in the repository" in told.stdout
    assert "new.txt" not in told.stdout
