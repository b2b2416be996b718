"""Questions and usage of agents, and messages of people to them."""

from pex_tui.core.coordination.agent_messages import open_permissions
from pex_tui.core.events.actions import AnswerAgent, TellAgent
from pex_tui.core.events.agent_events import (
    AgentSpent,
    MessageSent,
    PermissionAsked,
    PermissionDecided,
)
from pex_tui.core.events.event_codec import decode, encode
from pex_tui.core.events.run_events import AgentExited, AgentStarted, RunAdopted
from pex_tui.core.model.ids import RunId, SlotId, TaskId
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.plan import Plan
from pex_tui.core.model.state import Outcome
from pex_tui.core.model.task_state import FailureKind, Verdict
from pex_tui.core.outcome import NOBODY, conclude
from pex_tui.core.step import replay
from pex_tui.core.views.status import Status
from pex_tui.core.views.status_text import status_of
from pex_tui.core.views.view_models import header_view, task_row
from tests.core.world import World, shipped, task

A, B = TaskId("a"), TaskId("b")


def asked(
    name: TaskId, request: str = "q1", *, scope: str = "", attempt: int = 1
) -> PermissionAsked:
    title = "write src/api.py"
    return PermissionAsked(name, attempt, request, "write", title, ("src/api.py",), scope)


def running(*, listens: bool = True) -> World:
    """Return two agents at work."""
    world = World(Plan((task("a"), task("b"))), shipped(max_retries=0))
    for slot, name in enumerate((A, B), 1):
        world.send(AgentStarted(name, 1, SlotId(slot), 40 + slot, world.now, listens))
    return world


def test_an_agent_that_asks_is_shown_as_waiting_for_what_and_since_when() -> None:
    world = running()
    world.send(asked(A))

    assert [(name, one.title) for name, one in open_permissions(world.state)] == [
        (A, "write src/api.py")
    ]
    assert status_of(world.state, world.state.task(A)) is Status.ASKING
    row = task_row(world.state, A, world.state.task(A).asks[0].asked_at + 65)
    assert row.activity == "Asks to write src/api.py, 1:05"
    assert header_view(world.state, world.now).questions == 1


def test_an_answer_reaches_the_agent_once() -> None:
    world = running()
    world.send(asked(A))

    given = world.send(PermissionDecided(A, "q1", Verdict.ALLOW_ONCE, "you"))
    again = world.send(PermissionDecided(A, "q1", Verdict.DENY, "somebody later"))

    assert given == (AnswerAgent(A, 1, "q1", Verdict.ALLOW_ONCE),)
    assert again == ()
    assert open_permissions(world.state) == ()
    assert status_of(world.state, world.state.task(A)) is Status.RUNNING


def test_always_covers_what_others_ask_of_the_same_scope_now_and_later() -> None:
    world = running()
    world.send(asked(A, scope="write below src"), asked(B, scope="write below src"))

    given = world.send(PermissionDecided(A, "q1", Verdict.ALLOW_ALWAYS, "you"))
    assert given == tuple(AnswerAgent(name, 1, "q1", Verdict.ALLOW_ALWAYS) for name in (A, B))

    later = world.send(asked(B, "q2", scope="write below src"))
    assert later == (AnswerAgent(B, 1, "q2", Verdict.ALLOW_ALWAYS),)
    other = world.send(asked(B, "q3", scope="run make"))
    assert other == ()


def test_what_is_asked_again_after_a_crash_is_answered_as_before() -> None:
    world = running()
    world.send(asked(A), PermissionDecided(A, "q1", Verdict.DENY, "you"))

    assert world.send(asked(A)) == (AnswerAgent(A, 1, "q1", Verdict.DENY),)
    assert len(world.state.task(A).permissions) == 1


def test_a_question_dies_with_its_attempt() -> None:
    world = running()
    world.send(asked(A), AgentExited(A, 1, 1, world.now, FailureKind.EXIT, "exit 1"))

    assert open_permissions(world.state) == ()
    assert world.send(PermissionDecided(A, "q1", Verdict.ALLOW_ONCE, "you")) == ()


def test_late_news_of_an_earlier_attempt_is_dropped() -> None:
    world = running()
    world.send(asked(A, attempt=0), AgentSpent(A, 0, 5))

    assert open_permissions(world.state) == ()
    assert world.state.task(A).tokens is None


def test_a_message_reaches_only_an_agent_that_listens() -> None:
    assert running().send(MessageSent(A, "mind the tests", "you")) == (
        TellAgent(A, 1, "mind the tests"),
    )
    assert running(listens=False).send(MessageSent(A, "hello?", "you")) == ()


def test_spending_adds_up_and_unknown_stays_unknown() -> None:
    world = running()
    assert header_view(world.state, world.now).tokens is None

    world.send(AgentSpent(A, 1, 1200, 0.25), AgentSpent(A, 1, 300), AgentSpent(B, 1, 10))

    assert world.state.task(A).tokens == 1500
    assert world.state.task(A).cost_usd == 0.25
    assert world.state.task(B).cost_usd is None
    header = header_view(world.state, world.now)
    assert (header.tokens, header.cost_usd) == (1510, 0.25)


def end(world: World, by: str, code: int) -> tuple[Outcome, int]:
    failure = FailureKind.EXIT if code else None
    world.send(asked(A), PermissionDecided(A, "q1", Verdict.DENY, by))
    world.send(AgentExited(A, 1, code, world.now, failure, f"exit {code}"))
    world.send(AgentExited(B, 1, 0, world.now))
    while any(one.phase is Phase.CAPTURING for one in world.state.tasks):
        world.capture(next(one.id for one in world.state.tasks if one.phase is Phase.CAPTURING))
    return conclude(world.state)


def test_a_denied_agent_that_fails_ends_the_run_with_six() -> None:
    assert end(running(), "you", 1) == (Outcome.DENIED, 6)


def test_a_person_who_denies_what_turns_out_not_to_be_needed_gets_a_good_end() -> None:
    assert end(running(), "you", 0) == (Outcome.OK, 0)


def test_what_was_denied_as_nobody_was_there_is_never_passed_over() -> None:
    assert end(running(), NOBODY, 0) == (Outcome.DENIED, 6)


def test_questions_and_answers_are_in_the_journal() -> None:
    world = running()
    world.send(asked(A, scope="s"), PermissionDecided(A, "q1", Verdict.ALLOW_ALWAYS, "you"))
    world.send(MessageSent(A, "go on", "you"), AgentSpent(A, 1, 7, 0.5), RunAdopted(9, "you"))

    written = [encode(event, seq, RunId("r1")) for seq, event in enumerate(world.events)]

    assert replay([decode(line) for line in written]) == world.state
