"""Requests of keys to the run, by the state of the selected agents."""

from msgspec.structs import replace

from pex_tui.core.events.run_events import PauseRequested, ResumeRequested
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.task_state import TaskState
from pex_tui.tui.keyboard.keys import YOU, pauses

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
