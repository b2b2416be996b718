"""What is said of a run that is taken over."""

from msgspec.structs import replace

from pex_tui.core.model.phases import Phase, RunStage
from pex_tui.core.model.plan import Plan
from pex_tui.core.model.state import RunState
from pex_tui.core.views.resumption import resumption_text
from tests.core.world import World, task


def state(*phases: Phase) -> RunState:
    made = World(Plan(tuple(task(f"t{number}") for number in range(len(phases))))).state
    tasks = tuple(replace(one, phase=phase) for one, phase in zip(made.tasks, phases, strict=True))
    return replace(made, tasks=tasks)


def test_what_was_at_work_ended_and_landing_is_named() -> None:
    found = state(Phase.RUNNING, Phase.PAUSED, Phase.CAPTURING, Phase.QUEUED, Phase.LANDED)
    assert resumption_text(found, found.now + 75) == (
        "Resumed after 1:15 without an engine: t0, t1 were at work then and looked for now; "
        "t2 was ended then, and captured now; t3 was landing, which goes on; "
        "1 of 5 tasks had succeeded."
    )


def test_a_run_that_had_ended_and_a_clock_that_was_set_back_are_said() -> None:
    found = replace(state(Phase.FAILED), stage=RunStage.FINISHED)
    assert resumption_text(found, found.now + 60) == (
        "Resumed 1:00 after its end: 0 of 1 task had succeeded."
    )
    assert resumption_text(found, found.now - 3600) == (
        "Resumed; the machine's clock was set back by 1:00:00 meanwhile: 0 of 1 task had succeeded."
    )
