"""Experience from the journal of earlier runs, for the next one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pex_tui.adapters.storage.journal import SqliteJournal
from pex_tui.adapters.storage.past_runs import USUAL_PACE, read_experience
from pex_tui.core.events.landing_events import GateFinished
from pex_tui.core.events.run_events import (
    AgentExited,
    AgentPaused,
    AgentResumed,
    AgentStarted,
    Event,
    RunPlanned,
    TaskDispatched,
)
from pex_tui.core.figures.experience import TaskWork
from pex_tui.core.model.ids import CommitId, RunId, SlotId, TaskId
from pex_tui.core.model.plan import Plan
from pex_tui.core.model.run_rules import RunRules
from pex_tui.core.model.task_state import FailureKind
from tests.core.world import task

A = TaskId("a")
CHECK = (("pytest", "-q"),)


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path / "journal.db")
    yield opened
    await opened.close()


async def ran(journal: SqliteJournal, name: str, command: str, *events: Event) -> None:
    plan = Plan((task("a", argv=(command,)),), verify=CHECK)
    run = RunId(name)
    planned = RunPlanned(run, plan, RunRules(), CommitId("b"), "pex", None, 1, at=10.0)
    await journal.append(run, list(enumerate((planned, *events), start=1)))


async def test_durations_belong_to_what_ran_and_not_to_a_name(journal: SqliteJournal) -> None:
    for name, took in (("r1", 1.0), ("r2", 1.2), ("r3", 0.9)):
        await ran(
            journal,
            name,
            "short",
            TaskDispatched(A, 1, SlotId(1), at=99.0),
            AgentStarted(A, 1, SlotId(1), 7, 100.0, at=100.0),
            AgentExited(A, 1, 0, 100.0 + took, at=104.0),
        )

    known = read_experience(journal)

    assert known.of(TaskWork(("short",))) is not None
    assert known.of(TaskWork(("short",))).seconds == 1.0  # type: ignore[union-attr]  # just seen
    assert known.of(TaskWork(("long",))) is None
    assert known.pace.start_seconds == 1.0
    assert known.pace.capture_seconds == USUAL_PACE.capture_seconds


async def test_pauses_and_attempts_that_failed_teach_nothing(journal: SqliteJournal) -> None:
    await ran(
        journal,
        "r1",
        "x",
        AgentStarted(A, 1, SlotId(1), 7, 100.0, at=100.0),
        AgentExited(A, 1, 1, 101.0, FailureKind.EXIT, at=101.0),
        AgentStarted(A, 2, SlotId(1), 8, 200.0, at=200.0),
        AgentPaused(A, 2, at=203.0),
        AgentResumed(A, 2, at=283.0),
        AgentExited(A, 2, 0, 290.0, at=290.0),
    )

    (known,) = {one.seconds for one in read_experience(journal).works.values()}
    assert known == 10.0


async def test_a_gate_is_known_by_its_commands(journal: SqliteJournal) -> None:
    red = GateFinished(A, 1, CommitId("c"), False, 99.0, at=20.0)  # not passed
    green = GateFinished(A, 1, CommitId("c"), True, 8.0, at=30.0)  # passed
    await ran(journal, "r1", "x", red, green)

    known = read_experience(journal)

    assert known.gate_seconds(CHECK) == 8.0
    assert known.gate_seconds((("make",),)) is None
