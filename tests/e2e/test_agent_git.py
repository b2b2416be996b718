"""Agents that use git unasked: it is reported, and nothing is lost."""

import pytest

from tests.e2e.conftest import Shell

COMMIT = "git -c user.name=a -c user.email=a@example.org commit -q"


def run(shell: Shell, script: str, retries: int = 0) -> tuple[int, str]:
    """Run one task with the script; return the exit code and the report."""
    shell.write("agent.sh", script)
    shell.write(
        "plan.yaml",
        f"tasks:\n  - {{id: a, command: 'sh {shell.top}/agent.sh', retries: {retries}}}\n",
    )
    ended = shell.pex("run", "plan.yaml", "--headless", "--name", "odd")
    return ended.returncode, " ".join(ended.stdout.split())


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("rm -rf .git\n", "a deleted the .git folder of its workspace"),
        (f"{COMMIT} --allow-empty -m one\n", "refs/pex/odd/a/1-head"),
        (f"{COMMIT} --amend --allow-empty -m never\n", "a rewrote its history"),
        ("git checkout -q -b mine\n", "a worked on a branch of its own, mine"),
        (
            (
                "u() { git -C $TOP -c user.name=a -c user.email=a@example.org $@; }\n"
                "u update-ref refs/heads/pex/$PEX_RUN "
                "$(u commit-tree -m foreign -p pex/$PEX_RUN pex/$PEX_RUN^{tree})\n"
            ),
            "Somebody else moved pex/odd",
        ),
    ],
)
def test_its_work_lands_and_what_it_did_besides_is_said(
    shell: Shell, script: str, said: str
) -> None:
    code, report = run(shell, f"TOP='{shell.top}'\n{script}echo done > made.txt\n")

    assert code == 0, report
    assert said in report
    assert shell.git("show", "pex/odd:made.txt") == "done"


def test_merge_markers_never_land_and_the_work_is_kept(shell: Shell) -> None:
    code, report = run(shell, "printf '<<<<<<< a\\nx\\n=======\\ny\\n>>>>>>> b\\n' > made.txt\n")

    assert code == 1
    assert "it left conflict markers in made.txt" in report
    assert "<<<<<<<" in shell.git("show", "refs/pex/odd/a/1:made.txt")
    assert "made.txt" not in shell.git("ls-tree", "--name-only", "pex/odd")


def test_a_rebase_half_done_is_said_and_where_it_began_is_kept(shell: Shell) -> None:
    script = (
        f"echo mine > src/a.txt; {COMMIT} -a -m mine\n"
        f"mine=$(git rev-parse HEAD); git checkout -q HEAD~1; echo other > src/a.txt\n"
        f"{COMMIT} -a -m other; other=$(git rev-parse HEAD); git checkout -q $mine\n"
        "git -c user.name=a -c user.email=a@b rebase -q $other\n"
        "echo settled > src/a.txt\n"
    )
    code, report = run(shell, script)

    assert code == 0, report
    assert "a left a rebase half done" in report
    assert shell.git("show", "pex/odd:src/a.txt") == "settled"
    assert shell.git("show", "refs/pex/odd/a/1-orig:src/a.txt") == "mine"
