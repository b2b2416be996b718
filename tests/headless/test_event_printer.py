"""A headless run reports the result of each task, not that a process ended."""

import pytest

from pex_tui.core.events.agent_events import AgentSpent
from pex_tui.core.events.landing_events import MergeConflicted
from pex_tui.core.events.run_events import AgentStarted, RunAdopted
from pex_tui.core.model.conflict import ConflictPath
from pex_tui.core.model.ids import SlotId, TaskId
from pex_tui.core.model.plan import Brief, Expects, Plan
from pex_tui.core.model.run_rules import FallbackMode, RunRules
from pex_tui.core.model.task_state import FailureKind
from pex_tui.headless.event_printer import Narrator
from tests.core.world import BASE, World, task


class Told:
    """A run and the lines printed about it, without their times."""

    def __init__(self, *plan: object, **rules: object) -> None:
        self.run = World(Plan(plan), RunRules(**rules))  # type: ignore[arg-type]  # test shorthand
        self.lines: list[str] = []
        self._heard = len(self.run.events)
        self._narrator = Narrator(self.lines.append, lambda: self.run.state)

    def so_far(self) -> list[str]:
        for event in self.run.events[self._heard :]:
            self._narrator(0, event)
        self._heard = len(self.run.events)
        told, self.lines[:] = [line.partition(" ")[2] for line in self.lines], []
        return told


def test_a_promise_that_was_not_kept_is_no_good_end() -> None:
    told = Told(task("a", expects=Expects.CHANGES, retries=0), task("b", "a"))
    told.run.exit("a")
    told.run.capture("a")

    lines = told.so_far()

    assert not [line for line in lines if line.startswith("✓")]
    assert "✗ a: Failed: it promised changes and made none" in lines
    assert "⊘ b: Skipped: needs a, which failed" in lines


def test_a_retry_says_when_and_why() -> None:
    told = Told(task("a"), max_retries=3)
    told.run.exit("a", code=3)
    told.run.capture("a")

    [line] = [line for line in told.so_far() if line.startswith("↻")]

    assert line.startswith("↻ a: Retry 1/3 in ")
    assert line.endswith(": exit 3")


def test_a_reader_ends_well_once_it_was_looked_at() -> None:
    told = Told(task("a", writes=()))
    told.run.exit("a")
    assert "✓ a: Done" not in told.so_far()

    told.run.capture("a")

    assert told.so_far() == ["✓ a: Done"]


def test_a_landing_is_told_with_its_commit() -> None:
    told = Told(task("a"))
    told.run.finish("a", "x.py")

    landed = told.run.task("a").landed or ""
    assert f"✓ a landed as {landed[:9]}, 1 file" in told.so_far()


@pytest.mark.parametrize(
    ("rules", "then"),
    [
        ({}, "it reruns on the latest commit"),
        ({"auto_resolve": False}, "it waits for a decision"),
        ({"auto_resolve": False, "fallback": FallbackMode.ABORT}, "it is given up"),
    ],
)
def test_a_conflict_says_what_becomes_of_the_task(rules: dict[str, object], then: str) -> None:
    told = Told(task("a"), **rules)
    told.run.exit("a")
    told.run.capture("a", "x.py")
    told.run.send(MergeConflicted(TaskId("a"), 1, BASE, (ConflictPath("x.py"),), ()))

    assert f"⇄ a: conflict in x.py; {then}" in told.so_far()


def test_a_signal_is_named() -> None:
    told = Told(task("a", retries=0))
    told.run.exit("a", failure=FailureKind.TIMEOUT)
    told.run.capture("a")

    assert [line for line in told.so_far() if line.startswith("✗")]


def test_a_used_up_budget_is_told_once() -> None:
    brief = Brief("claude", "claude")
    told = Told(task("a", brief=brief), task("b", "a", brief=brief), budget_tokens=100)
    told.run.run("a")
    told.run.send(AgentSpent(TaskId("a"), 1, 150, None, 1))
    told.run.finish("a")

    lines = [line for line in told.so_far() if "budget" in line]

    assert lines == ["! The budget is used up (150 of 100 tokens): no agent starts"]


def test_a_start_that_took_long_is_a_start_and_what_was_found_still_runs() -> None:
    told = Told(task("a"), task("b"))
    told.run.now += 20
    told.run.run("a")
    told.run.send(AgentStarted(TaskId("b"), 1, SlotId(2), 77, told.run.now - 9))
    told.run.send(RunAdopted(99, "you"))
    told.run.send(AgentStarted(TaskId("b"), 1, SlotId(2), 77, told.run.now - 9))

    lines = [line for line in told.so_far() if line.startswith("▸ b")]

    assert lines == ["▸ b started in slot 2", "▸ b still runs in slot 2"]
