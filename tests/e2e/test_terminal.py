"""The app in a real pseudo-terminal: started, controlled, left, followed from another one."""

import signal

from tests.e2e.conftest import Shell
from tests.e2e.terminal import Terminal

PLAN = """
version: 1
goal: Try the keys
tasks:
  - {id: walker, command: "i=0; while :; do i=$((i+1)); echo step $i; sleep 0.1; done", writes: []}
  - {id: sitter, command: "sleep 300", writes: []}
  - {id: waiter, command: "true", needs: [sitter], writes: []}
"""


def opened(shell: Shell, *argv: str, columns: int = 120, rows: int = 36) -> Terminal:
    return Terminal(argv, shell.top, shell.env, columns, rows)


def test_a_run_is_started_paused_boosted_aborted_and_left(shell: Shell) -> None:
    shell.write("plan.yaml", PLAN)
    with opened(shell, "run", "plan.yaml") as terminal:
        terminal.until("Try the keys", "Approve & run", "walker")
        terminal.press("\r")
        terminal.until("running", "step ")
        terminal.press("/play")
        terminal.until("Agents 0 of 3", "play")
        terminal.press("\x1b")
        terminal.until("Agents 3", "step ")
        terminal.press("p")
        terminal.until("Paused by you")
        terminal.press("p")
        terminal.until("step", absent="Paused by you")
        terminal.press("j", "j", "b")
        terminal.until("waiter↑")
        terminal.press("k", "a")
        terminal.until("Abort?", "sitter")
        terminal.press("y")
        terminal.until("Aborted by you", "Skipped: needs sitter")
        terminal.press("q")
        terminal.until("d  Detach", "Stop it")
        terminal.press("s")
        terminal.until("🛑 stopping", absent="d  Detach")
        terminal.press("q")
        terminal.until("End it now")
        terminal.press("s")
        assert terminal.ended() == 130
        assert terminal.is_as_before
        assert b"\x1b[?1049l" in terminal.raw  # back on the screen the user came from
        assert "resume" in terminal.text


def test_a_second_terminal_watches_steers_and_leaves_the_run_alone(shell: Shell) -> None:
    shell.write("plan.yaml", PLAN)
    with opened(shell, "run", "plan.yaml", "--yes") as first:
        first.until("running", "step ")
        with opened(shell, "attach", columns=80, rows=24) as second:
            second.until("running", "walker")
            second.press("p")
            second.until("Paused by you")
            first.until("Paused by you")
            second.press("q")
            assert second.ended() == 0
            assert "continues" in second.text
        first.press("p")
        first.until("step", absent="Paused by you")
        events = shell.pex("report", "--format", "json")
        assert events.returncode == 0
        first.press("A")
        first.until("Abort the run?")
        first.press("y")
        first.until("aborted", "Aborted")


def test_the_classic_box_is_driven_and_watched(shell: Shell) -> None:
    shell.write("plan.yaml", PLAN)
    with opened(shell, "run", "plan.yaml", "--yes", "--classic", columns=80, rows=24) as first:
        first.until("PARALLEL AGENT EXECUTION MONITOR", "Overall Progress:", "walker:", "╚═")
        with opened(shell, "--classic", "attach") as second:
            second.until("PARALLEL AGENT EXECUTION MONITOR", "║>[T1]")
            second.press("p")
            second.until("Paused by you")
            first.until("Paused by you")
            second.press("q")
            assert second.ended() == 0
        first.press("A")
        first.until("Abort the run?")
        first.press("y")
        first.until("Aborted by you")


def test_a_watcher_whose_owner_dies_offers_to_resume(shell: Shell) -> None:
    shell.write("plan.yaml", PLAN)
    with opened(shell, "run", "plan.yaml", "--yes") as first:
        first.until("running", "step ")
        with opened(shell, "attach") as second:
            second.until("running", "step")
            first.signal(signal.SIGKILL)
            first.ended()
            second.until("Nothing drives run", "pex-tui resume")
            second.press("A")
            second.until("Abort the run?")
            second.press("y")
            second.until("Aborted", "aborted   wave", absent="Nothing drives run")
            second.press("q")
            second.ended()


def test_a_watcher_sees_the_run_live_again_once_another_process_resumes_it(shell: Shell) -> None:
    shell.write("plan.yaml", PLAN)
    with opened(shell, "run", "plan.yaml", "--yes") as first:
        first.until("running", "step ")
        with opened(shell, "attach") as second:
            second.until("running", "step")
            first.signal(signal.SIGKILL)
            first.ended()
            second.until("not driven")
            with opened(shell, "resume") as third:
                second.until("running", "step", absent="not driven")
                third.press("A")
                third.until("Abort the run?")
                third.press("y")
                second.until("Aborted by you")
                third.until("Aborted by you")


def test_a_closed_terminal_leaves_a_run_that_can_be_resumed(shell: Shell) -> None:
    shell.write("plan.yaml", PLAN)
    with opened(shell, "run", "plan.yaml", "--yes") as terminal:
        terminal.until("running", "step ")
        terminal.signal(signal.SIGHUP)
        assert terminal.ended() == 130
        assert terminal.is_as_before
    assert "interrupted" in shell.pex("runs").stdout
    with opened(shell, "resume") as terminal:
        terminal.until("running", "step")
        terminal.press("A")
        terminal.until("Abort the run?")
        terminal.press("y")
        terminal.until("Aborted by you")
        terminal.press("q")
        terminal.ended()


def test_the_demo_can_be_opened_from_home_and_leaves_the_repository_alone(shell: Shell) -> None:
    before = shell.git("status", "--porcelain"), shell.git("branch", "-a")
    with opened(shell) as terminal:
        terminal.until("No runs in this repository yet", "demo:")
        terminal.press("d")
        terminal.until("Show the demo?")
        terminal.press("y")
        terminal.until("Approve & run", "serial")
        terminal.press("q")
        assert terminal.ended() == 0
    assert (shell.git("status", "--porcelain"), shell.git("branch", "-a")) == before


def test_a_goal_typed_at_home_becomes_a_plan_that_runs(shell: Shell) -> None:
    shell.write("tests/test_one.py", "def test_one():\n    assert True\n")
    shell.write("pyproject.toml", "[tool.pytest.ini_options]\n")
    shell.git("add", ".")
    shell.git("commit", "-q", "-m", "tests")
    with opened(shell) as terminal:
        terminal.until("No runs in this repository yet", "describe a goal")
        terminal.press("nInvestigate why the tests fail in CI and how slow they are\r")  # at once
        terminal.until("Approve & run", "qa-engineer")
        terminal.press("!")
        terminal.until("Why this plan")
        terminal.press("\x1b")
        terminal.until("Approve & run", absent="Why this plan")
        terminal.press("\r")
        terminal.until("wave")
        terminal.press("A")
        terminal.until("wave", absent=None)
        terminal.press("n", "q")
        terminal.until("pex")
