"""A goal planned by an agent: asked, corrected, given up, and never in the way."""

import json
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.e2e.conftest import Shell
from tests.e2e.terminal import Terminal
from tests.waiting import PATIENCE_SECONDS, wait_until

SCRIPT = Path(__file__).parents[1] / "adapters" / "agents" / "scripted_claude.py"
GOAL = "Harden the shop against bad prices"
GOOD = """Two files, so two tasks; one agent alone would take 20 minutes.

```yaml
tasks:
  - {id: code, command: "echo 1 >> shop.py", writes: [shop.py], estimate: 10m}
  - {id: docs, command: "echo 1 > notes.md", writes: [notes.md], estimate: 10m}
```
"""
CYCLE = """```yaml
tasks:
  - {id: a, command: "true", needs: [b]}
  - {id: b, command: "true", needs: [nobody]}
```"""


@dataclass
class Planner:
    """The command line with a planning agent that answers as scripted."""

    shell: Shell
    folder: Path

    def says(self, *answers: str) -> None:
        """Script the agent's answers, round by round."""
        for number, answer in enumerate(answers, 1):
            (self.folder / f"{number}.txt").write_text(answer)

    def asked(self, number: int) -> str:
        """Return the prompt of that round."""
        return (self.folder / f"{number}.asked").read_text()

    def rounds(self) -> int:
        """Return how often it was asked."""
        return len(list(self.folder.glob("*.asked")))

    def leftovers(self) -> list[str]:
        """Return what planning has left on disk, and processes of its agent."""
        state = Path(self.shell.env["XDG_STATE_HOME"])
        files = [str(path) for path in state.glob("pex-tui/*/goals/*")]
        return files + [str(process.pid) for process in self.agents()]

    def agents(self) -> list[psutil.Process]:
        """Return the agent's processes."""
        return [
            process
            for process in psutil.process_iter(["cmdline"])
            if str(self.folder) in (process.info["cmdline"] or [])
        ]


@pytest.fixture
def planner(shell: Shell, tmp_path: Path) -> Planner:
    folder = tmp_path / "answers"
    folder.mkdir()
    command = [sys.executable, str(SCRIPT), "answers", str(folder)]
    own = {"scripted": {"talk": "claude", "command": command}}
    shell.env["PEX_AGENTS__RUNNERS"] = json.dumps(own)
    shell.env.update({"PEX_AGENTS__RUNNER": "scripted", "PEX_AGENTS__PLANNER": "auto"})
    shell.write("shop.py", "PRICE = 1\n")
    shell.git("add", "-A")
    shell.git("commit", "--quiet", "-m", "shop")
    return Planner(shell, folder)


def test_an_agent_with_a_model_plans(planner: Planner) -> None:
    planner.says(GOOD)
    ended = planner.shell.pex("plan", GOAL)

    assert ended.returncode == 0, ended.stderr
    assert "id: code" in ended.stdout
    assert "# planned by meta-agent (scripted), 1 round, 1000 tokens, $0.25\n" in ended.stdout
    assert "it says: Two files, so two tasks" in ended.stderr
    assert "commands of the model's own, look at them: code, docs" in ended.stderr
    assert "one agent alone would take about 20:00 (49% saved)" in ended.stderr
    asked = planner.asked(1)
    assert GOAL in asked
    assert "shop.py" in asked
    assert '"$schema"' in asked
    assert planner.shell.traces() == ""
    assert planner.leftovers() == []


def test_what_is_wrong_with_its_plan_goes_back_to_it(planner: Planner) -> None:
    planner.says("I have no plan yet.", CYCLE, GOOD)
    ended = planner.shell.pex("plan", GOAL)

    assert ended.returncode == 0, ended.stderr
    assert "meta-agent (scripted), 3 rounds" in ended.stdout
    assert "there is no plan in your answer" in planner.asked(2)
    assert "nobody" in planner.asked(3)


def test_after_three_rounds_rules_take_over(planner: Planner) -> None:
    planner.says(CYCLE, CYCLE, CYCLE, GOOD)
    ended = planner.shell.pex("plan", GOAL)

    assert ended.returncode == 0, ended.stderr
    assert planner.rounds() == 3
    assert "planned by rules: meta-agent (scripted) had no valid plan after 3 rounds" in (
        ended.stderr
    )
    assert "version: 1" in ended.stdout


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("play error", "meta-agent (scripted) failed: "),
        ("play silent_end", "meta-agent (scripted) failed: "),
        ("play drop", "meta-agent (scripted) failed: "),
    ],
)
def test_whatever_goes_wrong_rules_take_over(planner: Planner, answer: str, why: str) -> None:
    planner.says(answer, "no", "no")
    ended = planner.shell.pex("plan", GOAL)

    assert ended.returncode == 0, ended.stderr
    assert why in ended.stderr
    assert "planned by rules" in ended.stderr
    assert planner.leftovers() == []


def test_only_an_agent_may_plan_if_the_user_says_so(planner: Planner) -> None:
    planner.says("play error")
    planner.shell.env["PEX_AGENTS__PLANNER"] = "model"
    ended = planner.shell.pex("plan", GOAL)

    assert ended.returncode == 2
    assert "There is no plan: meta-agent (scripted) failed" in ended.stderr
    assert "agents.planner=rules" in ended.stderr
    assert ended.stdout == ""


def test_no_agent_is_asked_before_a_run_is_approved(planner: Planner) -> None:
    planner.says(GOOD)
    refused = planner.shell.pex("run", GOAL, "--headless")

    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert planner.rounds() == 0
    ended = planner.shell.pex("run", GOAL, "--headless", "--yes")
    assert ended.returncode == 0, ended.stderr
    assert "planned by meta-agent (scripted)" in ended.stderr
    assert "code" in ended.stdout


def test_an_interrupted_planner_leaves_no_process(planner: Planner) -> None:
    planner.says("play stall")
    command = planner.shell.start("plan", GOAL)
    wait_until(planner.rounds)
    command.send_signal(2)
    out, err = command.communicate(timeout=PATIENCE_SECONDS)

    assert command.returncode == 130, err
    assert "Traceback" not in err
    assert out == ""
    assert planner.leftovers() == []


def test_escape_plans_by_rules(planner: Planner) -> None:
    planner.says("play stall")
    with Terminal((GOAL,), planner.shell.top, planner.shell.env, 80, 24) as terminal:
        terminal.until("An agent plans this goal", "meta-agent (scripted)")
        terminal.press("\x1b")
        terminal.until("critical path", absent="An agent plans this goal")
        assert planner.agents() == []


def command_lines() -> list[str]:
    """Return those of all processes; in a sandbox, processes know themselves by other pids."""
    found = (process.info["cmdline"] for process in psutil.process_iter(["cmdline"]))
    return [" ".join(words) for words in found if words]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_the_agent_ends_however_the_planning_ends(
    shell: Shell, tmp_path: Path, number: signal.Signals
) -> None:
    mark = tmp_path / "pid"
    command = ["sh", "-c", f"echo $$ > {mark}.new; mv {mark}.new {mark}; sleep 600"]
    own = {"own": {"talk": "claude", "command": command}}
    shell.env.update({"PEX_AGENTS__RUNNERS": json.dumps(own), "PEX_AGENTS__RUNNER": "own"})
    shell.env["PEX_AGENTS__PLANNER"] = "model"
    planning = shell.start("plan", "Find out why the checkout fails and is slow")
    wait_until(mark.exists)

    planning.send_signal(number)
    planning.communicate()

    wait_until(lambda: not any(str(mark) in line for line in command_lines()))
    assert planning.returncode == (130 if number is not signal.SIGKILL else -signal.SIGKILL)
