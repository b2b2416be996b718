"""Requests of keys to the run, by the state of the selected agents."""

import pytest
from msgspec.structs import replace

from pex_tui.core.events.run_events import PauseRequested, ResumeRequested
from pex_tui.core.model.ids import CommitId, TaskId
from pex_tui.core.model.phases import Phase, RunStage
from pex_tui.core.model.state import LandStatus
from pex_tui.core.model.task_state import TaskState
from pex_tui.tui.keyboard.keys import YOU, pauses, why_not
from tests.tui import states

FREE = TaskState(TaskId("a"), phase=Phase.RUNNING, listens=True)
FINISHING = replace(FREE, held=True)
STILL = replace(FINISHING, phase=Phase.PAUSED)
PAUSE, RESUME = PauseRequested(TaskId("a"), YOU), ResumeRequested(TaskId("a"), YOU)


def test_p_holds_an_agent_at_its_next_step_then_freezes_it_then_lets_it_go_on() -> None:
    assert pauses([FREE]) == (PAUSE,)
    assert pauses([FINISHING]) == (PAUSE,)  # asked a second time
    assert pauses([STILL]) == (RESUME,)


def test_p_on_several_agents_first_brings_all_of_them_to_the_same_state() -> None:
    other = replace(FREE, id=TaskId("b"))

    assert pauses([FINISHING, other]) == (PauseRequested(other.id, YOU),)
    assert pauses([replace(STILL, id=other.id), FINISHING]) == (PAUSE,)


def test_p_on_a_command_that_is_being_frozen_lets_it_go_on() -> None:
    assert pauses([replace(FINISHING, listens=False)]) == (RESUME,)


@pytest.mark.parametrize(
    ("action", "phase", "reason"),
    [
        ("pause", Phase.LANDED, "a has finished"),
        ("pause", Phase.QUEUED, "a is queued to merge"),
        ("boost", Phase.FAILED, "a has failed"),
        ("retry", Phase.WAITING, "a has not started"),
        ("abort", Phase.SKIPPED, "a was skipped"),
        ("message", Phase.LANDED, "a has finished"),
        ("message", Phase.RUNNING, "a accepts no messages"),
        ("conflict", Phase.RUNNING, "the run has no open conflict"),
        ("pause", Phase.RUNNING, ""),
        ("retry", Phase.FAILED, ""),
    ],
)
def test_a_key_without_effect_has_its_reason_from_the_state(
    action: str, phase: Phase, reason: str
) -> None:
    task = replace(FREE, phase=phase, listens=False)
    assert why_not(action, states.fresh(), [task]) == reason


def test_a_key_of_the_run_has_its_reason_from_the_run() -> None:
    run = states.fresh()
    over = replace(run, stage=RunStage.FINISHED)

    assert why_not("pause_run", None, ()) == "no run is open"
    assert why_not("pause_run", run, ()) == ""
    assert why_not("abort_run", over, ()) == "the run has finished"
    assert why_not("pause_run", replace(run, stage=RunStage.DRAINING), ()) == "the run is stopping"
    assert why_not("boost_run", replace(run, capacity=8), ()) == "the run already has 8 slots"
    assert why_not("land", replace(run, target=None), ()).startswith("the run started from a")
    began = replace(run, target="main")
    assert why_not("land", began, ()) == "nothing has landed on the run's branch yet"
    work = replace(FREE, phase=Phase.LANDED, landed=CommitId("1" * 40))
    assert why_not("land", replace(began, tasks=(work,)), ()) == ""
    landed = replace(began, tasks=(work,), land_status=LandStatus.LANDED)
    assert why_not("land", landed, ()) == "already merged into main"


def test_of_several_marked_tasks_none_fits_or_the_key_has_an_effect() -> None:
    done = [replace(FREE, id=TaskId(name), phase=Phase.DONE) for name in "ab"]
    assert why_not("abort", states.fresh(), done) == "has no effect on any of the 2 marked tasks"
    assert why_not("abort", states.fresh(), [*done, FREE]) == ""
    assert why_not("abort", states.fresh(), []) == "no task is selected"
