"""Whole runs of scripted agents with a model: their prompts, permissions and waits."""

import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Shell
from tests.waiting import wait_until

SCRIPT = Path(__file__).parents[1] / "adapters" / "agents" / "scripted_claude.py"
AGENT = "---\nname: coder\ndescription: writes\ntools: Read, Write, Bash\n---\nYou write.\n"


@dataclass
class Agents:
    """A repository whose agent `coder` plays the scripts assigned to each attempt."""

    shell: Shell
    folder: Path

    def assign(self, **plays: str) -> None:
        """Assign a script to each attempt of each task, such as a="write a.txt x; basic"."""
        for task, attempts in plays.items():
            for number, play in enumerate(attempts.split(";"), 1):
                (self.folder / f"{task}.{number}").write_text(play.strip())

    def asked(self, attempt: str) -> str:
        """Return the prompt of that attempt."""
        return (self.folder / f"{attempt}.asked").read_text()

    def argv(self, attempt: str) -> str:
        """Return the command line of that attempt."""
        return (self.folder / f"{attempt}.argv").read_text()

    def attempts(self) -> list[str]:
        """Return all attempts that were made."""
        return sorted(path.stem for path in self.folder.glob("*.asked"))

    def plan(self, tasks: str, rest: str = "") -> None:
        """Write the plan file."""
        self.shell.write("plan.yaml", f"version: 1\n{rest}tasks:\n{tasks}")

    def run(self, *options: str) -> tuple[int, list[dict[str, Any]], str]:
        """Run it; return exit code, events, and stderr."""
        ended = self.shell.pex("run", "plan.yaml", "--headless", "--json", *options)
        return (
            ended.returncode,
            [json.loads(line) for line in ended.stdout.splitlines()],
            (ended.stderr),
        )


@pytest.fixture
def agents(shell: Shell, tmp_path: Path) -> Agents:
    folder = tmp_path / "plays"
    folder.mkdir()
    command = [sys.executable, str(SCRIPT), "assigned", str(folder)]
    own = {"scripted": {"talk": "claude", "command": command}}
    shell.env.update({"PEX_AGENTS__RUNNERS": json.dumps(own), "PEX_AGENTS__RUNNER": "scripted"})
    shell.write(".claude/agents/coder.md", AGENT)
    shell.git("add", "-A")
    shell.git("commit", "--quiet", "-m", "agents")
    return Agents(shell, folder)


def named(events: list[dict[str, Any]], name: str, task: str) -> list[dict[str, Any]]:
    return [event for event in events if event["event"] == name and event.get("task") == task]


def shown(agents: Agents, path: str) -> str:
    (branch,) = agents.shell.git("branch", "--list", "pex/*", "--format=%(refname:short)").split()
    return agents.shell.git("show", f"{branch}:{path}")


def test_a_red_gate_goes_back_to_the_same_session(agents: Agents) -> None:
    gate = "verify: [[sh, -c, 'if grep -q bad a.txt; then echo found a bad price; exit 1; fi']]\n"
    agents.assign(a="write a.txt bad; write a.txt good")
    agents.plan("  - {id: a, agent: coder, prompt: Write it, writes: [a.txt]}\n", gate)
    code, _, stderr = agents.run()

    assert code == 0, stderr
    assert agents.attempts() == ["a.1", "a.2"]
    assert "found a bad price" in agents.asked("a.2")
    assert "Write it" not in agents.asked("a.2")
    assert "--resume" in agents.argv("a.2")
    assert shown(agents, "a.txt") == "good"


def test_a_gate_that_stays_red_ends_after_the_retries(agents: Agents) -> None:
    agents.assign(a="write a.txt bad; write a.txt worse; write a.txt worst")
    task = "  - {id: a, agent: coder, prompt: Write it, writes: [a.txt], retries: 1}\n"
    agents.plan(task, "verify: ['test ! -e a.txt']\n")
    code, _, _ = agents.run()

    assert code == 4
    assert agents.attempts() == ["a.1", "a.2"]


def test_whoever_announces_a_write_waits_for_the_one_that_has_the_file(agents: Agents) -> None:
    go = agents.folder / "go"
    go.touch()
    agents.assign(
        a=f"announced {go} 2 src/a.txt first",
        b=f"announced {go.with_suffix('.written')} 0 src/a.txt second; write src/a.txt both",
    )
    agents.plan(
        "  - {id: a, agent: coder, prompt: Be first}\n"
        "  - {id: b, agent: coder, prompt: Be second}\n"
    )
    leases = ("--set", "conflict_resolution.leases=true")
    code, events, stderr = agents.run(*leases, "--set", "conflict_resolution.radar=off")

    assert code == 0, stderr
    assert "b wants to change src/a.txt and waits until a has landed." in stderr
    assert not [event for event in events if event["event"] == "merge_conflicted"]
    assert agents.attempts() == ["a.1", "b.1", "b.2"]
    assert "is now at the latest commit" in agents.asked("b.2")
    assert shown(agents, "src/a.txt") == "both"


def test_a_conflict_goes_back_with_the_newest_state(agents: Agents) -> None:
    agents.assign(a="write src/a.txt first", b="once {0} src/a.txt x; write src/a.txt both")
    go = agents.folder / "go"
    (agents.folder / "b.1").write_text(f"once {go} src/a.txt second")
    agents.plan(
        "  - {id: a, agent: coder, prompt: Be first}\n"
        "  - {id: b, agent: coder, prompt: Be second}\n"
        f"  - {{id: go, command: 'touch {go}', needs: [a]}}\n"
    )
    code, _, stderr = agents.run()

    assert code == 0, stderr
    assert agents.attempts() == ["a.1", "b.1", "b.2"]
    assert "src/a.txt was changed meanwhile (from a)" in agents.asked("b.2")
    assert "git diff" in agents.asked("b.2")
    assert shown(agents, "src/a.txt") == "both"


def test_where_nobody_watches_a_question_is_denied_and_the_exit_code_says_so(
    agents: Agents,
) -> None:
    agents.assign(a="asks")
    agents.plan("  - {id: a, agent: coder, prompt: Run it, retries: 0, expects: changes}\n")
    ended = agents.shell.pex("run", "plan.yaml", "--headless")

    assert ended.returncode == 6, ended.stderr
    assert "denied" in ended.stdout
    assert "touch x" in ended.stdout
    assert "agents.permissions.allow" in ended.stdout


def test_a_rule_that_denies_is_told_and_nobody_is_advised_to_allow_it(agents: Agents) -> None:
    agents.assign(a="asks")
    agents.plan("  - {id: a, agent: coder, prompt: Run it, expects: any}\n")
    rule = 'agents.permissions.deny=["Bash(touch *)"]'
    ended = agents.shell.pex("run", "plan.yaml", "--headless", "--set", rule)

    assert ended.returncode == 0, ended.stderr
    assert "not allowed to run touch x (the rule Bash(touch *))" in ended.stdout
    assert "agents.permissions.allow" not in ended.stdout


def test_a_rule_answers_without_a_person(agents: Agents) -> None:
    agents.assign(a="asks")
    agents.plan("  - {id: a, agent: coder, prompt: Run it, expects: any}\n")
    code, _, stderr = agents.run("--set", 'agents.permissions.allow=["Bash(touch *)"]')

    assert code == 0, stderr
    assert json.loads(shown(agents, "answer.json"))["behavior"] == "allow"


def test_a_provider_that_refuses_holds_the_next_start_and_nothing_else(agents: Agents) -> None:
    told = agents.folder / "told"
    agents.assign(a=f"refused 5000 {told}", b="write b.txt x")
    agents.plan(
        "  - {id: a, agent: coder, prompt: Be refused}\n"
        f"  - {{id: first, command: 'until [ -e {told} ]; do sleep 0.05; done; sleep 0.5'}}\n"
        "  - {id: b, agent: coder, prompt: Wait, needs: [first]}\n"
        "  - {id: c, command: 'true', needs: [first]}\n"
    )
    code, events, stderr = agents.run()

    assert code == 0, stderr
    (refused,) = named(events, "agent_limited", "a")
    (held,) = named(events, "agent_started", "b")
    (free,) = named(events, "agent_started", "c")
    assert held["at"] >= refused["at"] + refused["wait_seconds"] > free["at"]
    assert agents.attempts() == ["a.1", "b.1"]


def test_a_killed_engine_s_successor_hears_the_turn_to_its_end(agents: Agents) -> None:
    go = agents.folder / "go"
    agents.assign(a=f"once {go} a.txt whole")
    agents.plan("  - {id: a, agent: coder, prompt: Take your time}\n")
    engine = agents.shell.start("run", "plan.yaml", "--headless", "--name", "r1")
    wait_until(go.with_suffix(".begun").exists)
    os.kill(engine.pid, signal.SIGKILL)
    engine.communicate()
    go.touch()
    resumed = agents.shell.pex("resume", "r1", "--headless")

    assert resumed.returncode == 0, resumed.stderr
    assert agents.attempts() == ["a.1"]
    assert shown(agents, "a.txt") == "whole"
    (task,) = json.loads(agents.shell.pex("report", "r1", "--format", "json").stdout)["tasks"]
    assert (task["tokens"], task["cost_usd"]) == (1000, 0.25)
