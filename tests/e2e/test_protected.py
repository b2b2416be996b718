"""A person decides about tasks that change their own gate, or files that run automatically (E6)."""

import pytest

from tests.e2e.conftest import Shell

WEAKEN = (
    'printf "#!/bin/sh\\nexit 0\\n" > check.sh; echo a > src/a.txt; '
    "mkdir -p .claude/agents; echo x > .claude/agents/me.md"
)
PLAN = f"""version: 1
goal: Try
verify: ["./check.sh"]
tasks:
- id: a
  command: {WEAKEN!r}
- id: b
  command: 'echo b > src/b.txt'
"""
REAL = "#!/bin/sh\ntest ! -e src/wrong\n"


@pytest.fixture
def guarded(shell: Shell) -> Shell:
    """A repository whose gate is a script of its own."""
    shell.write("check.sh", REAL).chmod(0o755)
    shell.write("src/a.txt", "one\n")
    shell.git("add", ".")
    shell.git("commit", "-qm", "The gate's script")
    shell.write("plan.yaml", PLAN)
    return shell


def show(shell: Shell, path: str) -> str:
    return shell.git("show", f"pex/r:{path}")


def run(shell: Shell, *args: str) -> tuple[int, str]:
    ended = shell.pex(*args)
    return ended.returncode, f"{ended.stdout}{ended.stderr}"


def test_it_waits_whatever_runs_and_lands_as_a_person_says(guarded: Shell) -> None:
    code, told = run(guarded, "run", "plan.yaml", "--headless", "--name", "r")
    assert code == 3, told
    assert "a: changes protected .claude/agents/me.md, check.sh; it waits for a decision" in told
    assert "pex-tui resolve r a --ours|--theirs|--edit|--rerun|--abort" in told
    assert show(guarded, "check.sh") == REAL.strip()
    assert show(guarded, "src/b.txt") == "b"

    code, told = run(guarded, "resume", "r", "--headless")
    assert (code, show(guarded, "check.sh")) == (3, REAL.strip()), told

    code, told = run(guarded, "resolve", "r")
    assert code == 3
    assert "OPEN     a: .claude/agents/me.md (protected), check.sh (protected)" in told

    code, told = run(guarded, "resolve", "r", "a", "--theirs")
    assert code == 0, told
    assert show(guarded, "check.sh") == REAL.strip()
    assert show(guarded, "src/a.txt") == "a"
    assert guarded.git("ls-tree", "--name-only", "pex/r", ".claude/") == ""


def test_under_the_policy_refuse_the_task_fails_and_its_work_is_kept(guarded: Shell) -> None:
    policy = "safety.protected.policy=refuse"

    code, told = run(guarded, "run", "plan.yaml", "--headless", "--name", "r", "--set", policy)

    assert code == 1, told
    assert "Refused: it changes protected .claude/agents/me.md, check.sh" in " ".join(told.split())
    assert guarded.git("show", "refs/pex/r/a/1:src/a.txt") == "a"
