"""Every state of a task or a run can be painted and described."""

from collections.abc import Iterator
from enum import StrEnum
from itertools import product

import pytest
from msgspec.structs import replace

from pex_tui.core.model.conflict import Conflict, ConflictKind, Decision
from pex_tui.core.model.phases import LandingStage, Phase, RunStage
from pex_tui.core.model.state import LandStatus, Outcome, RunState
from pex_tui.core.model.task_state import Failure, FailureKind, TaskState, Wait, WaitCause
from pex_tui.core.views.status import Status
from pex_tui.core.views.timeline import SpanKind, timeline_view
from pex_tui.core.views.view_models import header_view, task_rows
from pex_tui.tui.symbols import SymbolName, choose
from pex_tui.tui.widgets import timeline
from pex_tui.tui.widgets.classic.classic_view import classic_view
from pex_tui.tui.widgets.painting import INKS
from tests.tui import states

WIDTH = 40


def tasks() -> Iterator[TaskState]:
    """A task in each phase, with each cause of a wait, stage of landing and kind of failure."""
    plain = states.busy().tasks[0]
    for phase in Phase:
        one = replace(plain, phase=phase, failure=Failure(FailureKind.EXIT, "exit 1"))
        yield one
        if phase is Phase.READY:
            for cause, overdue in product(WaitCause, (False, True)):
                yield replace(one, wait=Wait(cause, ("docs",), states.START, overdue))
        for stage in LandingStage:
            yield replace(one, landing_stage=stage)
        for kind in FailureKind:
            yield replace(one, failure=Failure(kind, "why"))


def runs() -> Iterator[RunState]:
    """Yield a run in each stage, with each outcome and each state of its landing."""
    plain = states.busy()
    for stage, outcome, status in product(RunStage, (None, *Outcome), LandStatus):
        yield replace(plain, stage=stage, outcome=outcome, land_status=status)
    for kind, decision in product(ConflictKind, (None, *Decision)):
        conflict = Conflict(9, kind, (plain.tasks[0].id, plain.tasks[1].id), decision=decision)
        yield replace(plain, conflicts=(conflict,))


def paint(state: RunState) -> None:
    for row in task_rows(state, states.NOW):
        assert row.status in Status
    header_view(state, states.NOW)
    classic_view(state, states.NOW)
    for line in timeline_view(state, states.NOW, WIDTH).rows:
        for span in line.spans:
            assert timeline._INKS[span.kind] in INKS


def test_a_task_in_any_state_can_be_painted() -> None:
    plain = states.busy()
    for task in tasks():
        paint(replace(plain, tasks=(task, *plain.tasks[1:])))


def test_a_run_in_any_state_can_be_painted() -> None:
    for state in runs():
        paint(state)


@pytest.mark.parametrize("name", SymbolName)
def test_every_set_of_symbols_has_every_mark(name: SymbolName) -> None:
    symbols = choose(name, "UTF-8")
    assert all(symbols.padded(status) for status in Status)


@pytest.mark.parametrize(("kinds", "table"), [(SpanKind, timeline._INKS), (Status, INKS)])
def test_tables_of_inks_are_complete(kinds: type[StrEnum], table: dict[str, str]) -> None:
    assert set(kinds) <= set(table)
