"""The fixed runs are valid runs."""

from collections.abc import Callable

import pytest

from pex_tui.core.invariants import violations
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.state import RunState
from tests.tui import states

BUILDERS = [
    states.busy,
    states.calm,
    states.empty,
    states.fresh,
    states.broken,
    states.finished,
    states.conflicted,
    states.crowded,
    states.asking,
]


@pytest.mark.parametrize("build", BUILDERS)
def test_a_fixed_run_breaks_no_invariant(build: Callable[[], RunState]) -> None:
    assert violations(build()) == ()


def test_the_crowded_run_has_a_task_in_every_phase() -> None:
    assert {task.phase for task in states.crowded().tasks} == set(Phase)
