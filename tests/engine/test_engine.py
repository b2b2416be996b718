import asyncio

import pytest

from pex_tui.core.events.agent_events import MessageSent, PermissionDecided
from pex_tui.core.events.landing_events import BranchMoved
from pex_tui.core.events.run_events import (
    AbortRequested,
    Event,
    LandRequested,
    PauseRequested,
    ResumeRequested,
    RetryRequested,
    RunAdopted,
    RunDrainRequested,
    RunPauseRequested,
    RunResumeRequested,
    TaskDispatched,
)
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import Phase, RunStage
from pex_tui.core.model.run_rules import RunRules
from pex_tui.core.model.state import LandStatus, Outcome, RunState
from pex_tui.core.model.task_state import FailureKind, Verdict
from pex_tui.core.step import replay
from pex_tui.engine.attempt import Asked, Spent
from pex_tui.engine.pool import TaskPool
from pex_tui.engine.ports import Workspace
from tests.core.world import task
from tests.engine.fakes import RUN, FakeWorld, until
from tests.waiting import patience

A, B = TaskId("a"), TaskId("b")


async def finish(world: FakeWorld, state: RunState) -> RunState:
    engine = world.engine(state)
    async with patience():
        await engine.serve(TaskPool())
    return engine.state


async def test_a_plan_runs_to_its_end() -> None:
    world = FakeWorld()
    world.git.changes = {A: ("x",), B: ("y",)}

    state = await finish(world, world.begin(task("a"), task("b", "a"), task("c")))

    assert [entry.phase for entry in state.tasks] == [Phase.LANDED, Phase.LANDED, Phase.DONE]
    assert (state.outcome, state.exit_code) == (Outcome.OK, 0)
    assert len(world.git.landed) == 2


async def test_never_more_agents_live_than_there_are_slots() -> None:
    world = FakeWorld()

    await finish(world, world.begin(*(task(f"t{n}") for n in range(20)), rules=RunRules(slots=3)))

    assert world.runner.most_alive == 3


async def test_the_journal_alone_gives_the_final_state() -> None:
    world = FakeWorld()
    world.git.changes = {A: ("x",)}
    world.git.conflicts = {A: 1}

    state = await finish(world, world.begin(task("a"), task("b", "a")))

    assert replay(world.journal.read(RUN)) == state


async def test_a_failing_task_is_retried_when_its_time_has_come() -> None:
    world = FakeWorld()
    world.runner.scripts = {A: [1, 0]}
    state = world.begin(task("a"), rules=RunRules(backoff_seconds=0.001))
    engine = world.engine(state)
    serving = asyncio.create_task(engine.serve(TaskPool()))
    await until(lambda: engine.state.task(A).phase is Phase.BACKOFF)
    world.clock.time += 1
    async with patience():
        await serving

    assert engine.state.task(A).phase is Phase.DONE
    assert engine.state.task(A).attempt == 2


async def test_a_program_that_is_missing_fails_at_once() -> None:
    world = FakeWorld()
    world.runner.missing = {A}

    state = await finish(world, world.begin(task("a")))

    failure = state.task(A).failure
    assert failure is not None
    assert failure.kind is FailureKind.LAUNCH
    assert state.exit_code == 1


async def test_nothing_is_performed_before_it_is_in_the_journal() -> None:
    world = FakeWorld()
    seen: list[tuple[str, int]] = []
    state = world.begin(task("a"))
    engine = world.engine(state)

    def note(seq: int, event: Event) -> None:
        if isinstance(event, TaskDispatched):
            assert not world.runner.starts
            assert (seq, event) in world.journal.rows
            seen.append(("dispatched", seq))

    engine.watch(note)
    await engine.serve(TaskPool())

    assert len(seen) == 1


async def test_a_full_disk_stops_the_intake_until_there_is_room() -> None:
    world = FakeWorld()
    world.journal.full = 5

    state = await finish(world, world.begin(task("a")))

    assert state.outcome is Outcome.OK
    assert replay(world.journal.read(RUN)) == state


async def test_an_ended_run_is_let_go_and_taken_up_for_a_retry_and_for_landing() -> None:
    world = FakeWorld()
    world.runner.scripts = {A: [1, 0]}
    world.git.changes = {A: ("x",)}
    first = world.engine(world.begin(task("a", retries=0)), attended=True)
    await first.serve(TaskPool())
    assert first.state.outcome is Outcome.FAILED

    second = world.engine(first.state, attended=True)
    second.post(RunAdopted(2, "you"))
    second.post(RetryRequested(A, "you"))
    await second.serve(TaskPool())
    assert second.state.outcome is Outcome.OK

    third = world.engine(second.state, attended=True)
    third.post(RunAdopted(3, "you"))
    third.post(LandRequested("you"))
    await third.serve(TaskPool())
    assert third.state.land_status is LandStatus.LANDED


async def test_pause_and_abort_reach_the_agent() -> None:
    world = FakeWorld()
    world.runner.manual = {A}
    engine = world.engine(world.begin(task("a")))
    serving = asyncio.create_task(engine.serve(TaskPool()))
    await until(lambda: engine.state.task(A).phase is Phase.RUNNING)

    engine.post(PauseRequested(A, "you"))
    await until(lambda: engine.state.task(A).phase is Phase.PAUSED)
    engine.post(ResumeRequested(A, "you"))
    await until(lambda: engine.state.task(A).phase is Phase.RUNNING)
    engine.post(AbortRequested(A, "you"))
    await serving

    assert engine.state.task(A).phase is Phase.ABORTED
    assert engine.state.outcome is Outcome.ABORTED


async def test_draining_ends_with_an_interrupted_run_that_can_be_resumed() -> None:
    world = FakeWorld()
    world.runner.manual = {A}
    engine = world.engine(world.begin(task("a"), task("b", "a")))
    serving = asyncio.create_task(engine.serve(TaskPool()))
    await until(lambda: engine.state.task(A).phase is Phase.RUNNING)
    engine.post(RunDrainRequested("signal"))
    await until(lambda: engine.state.stage is RunStage.DRAINING)
    world.runner.end(world.runner.starts[0])
    await serving
    assert (engine.state.outcome, engine.state.exit_code) == (Outcome.INTERRUPTED, 130)

    again = world.engine(replay(world.journal.read(RUN)))
    again.post(RunAdopted(1, "you"))
    await again.serve(TaskPool())

    assert again.state.outcome is Outcome.OK


@pytest.mark.parametrize("turns", [0, 1, 50])
async def test_a_run_recovers_from_every_prefix_of_its_journal(turns: int) -> None:
    """Wherever the engine dies in its journal, the run succeeds and each task lands once."""
    recorded = FakeWorld()
    await finish(recorded, _crowd(recorded))
    assert any(isinstance(event, BranchMoved) for event in recorded.journal.read(RUN))

    for length in [1, *recorded.journal.commits]:
        world = await _world_after(length, turns)
        journal = world.journal.read(RUN)
        assert len(journal) == length
        engine = world.engine(replay(journal))
        engine.post(RunAdopted(99, "you"))
        async with patience():
            await engine.serve(TaskPool())

        assert engine.state.outcome is Outcome.OK, f"after {length} events"
        assert len(set(world.git.landed)) == len(world.git.landed)
        landed = {entry.landed for entry in engine.state.tasks if entry.landed}
        assert landed == set(world.git.landed)
        assert replay(world.journal.read(RUN)) == engine.state


def _crowd(world: FakeWorld) -> RunState:
    world.git.changes = {A: ("x",), B: ("y",), TaskId("d"): ("z",)}
    world.git.conflicts = {B: 1, TaskId("d"): 1}
    world.git.plain = {TaskId("d")}
    return world.begin(
        task("a"),
        task("b"),
        task("c", "a"),
        task("d", "b", "c"),
        rules=RunRules(slots=2),
        verify=(("check",),),
    )


async def _world_after(length: int, turns: int) -> FakeWorld:
    """Return a world whose engine died when its journal had so many rows.

    Actions requested by then continue unseen for some turns of the loop.
    """
    world = FakeWorld()
    world.journal.limit = length
    serving = asyncio.create_task(world.engine(_crowd(world)).serve(TaskPool()))
    await until(lambda: len(world.journal.rows) >= length)
    for _ in range(turns):
        await asyncio.sleep(0)
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    world.journal.limit = None
    return world


async def test_what_an_agent_asks_waits_for_a_person_and_a_message_reaches_it() -> None:
    world = FakeWorld()
    world.runner.manual = {A}
    world.runner.listening = True
    world.runner.talk = {A: (Spent(900, 0.1), Asked("q1", "write", "write x", ("x",)))}
    engine = world.engine(world.begin(task("a")), attended=True)
    serving = asyncio.create_task(engine.serve(TaskPool()))
    await until(lambda: bool(engine.state.task(A).asks))
    engine.post(MessageSent(A, "hurry", "you"))
    await until(lambda: world.runner.told == [(A, "hurry")])
    engine.post(PermissionDecided(A, "q1", Verdict.ALLOW_ONCE, "you"))
    await serving

    assert world.runner.answers == [(A, "q1", Verdict.ALLOW_ONCE)]
    assert engine.state.outcome is Outcome.OK
    assert (engine.state.task(A).tokens, engine.state.task(A).cost_usd) == (900, 0.1)


async def test_where_nobody_is_a_permission_is_denied_and_the_run_says_so() -> None:
    world = FakeWorld()
    world.runner.manual = {A}
    world.runner.talk = {A: (Asked("q1", "write", "write x", ("x",)),)}
    engine = world.engine(world.begin(task("a", retries=0)))
    await engine.serve(TaskPool())

    assert world.runner.answers == [(A, "q1", Verdict.DENY)]
    assert (engine.state.outcome, engine.state.exit_code) == (Outcome.DENIED, 6)


async def test_whoever_paused_the_run_and_let_it_go_on_is_no_longer_there_to_ask() -> None:
    world = FakeWorld()
    world.runner.manual = {A, B}
    world.runner.talk = {B: (Asked("q1", "write", "write x", ("x",)),)}
    engine = world.engine(world.begin(task("a"), task("b", "a", retries=0)))
    serving = asyncio.create_task(engine.serve(TaskPool()))
    await until(lambda: engine.state.task(A).phase is Phase.RUNNING)

    engine.post(RunPauseRequested("you"))
    engine.post(RunResumeRequested("you"))
    await until(lambda: engine.state.task(A).phase is Phase.RUNNING)
    world.runner.end(world.runner.starts[0])
    await serving

    assert world.runner.answers == [(B, "q1", Verdict.DENY)]


async def test_an_abort_while_the_workspace_is_made_starts_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = FakeWorld()
    making = asyncio.Event()

    async def never(*_: object) -> Workspace:
        making.set()
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(world.git, "prepare", never)
    engine = world.engine(world.begin(task("a")))
    serving = asyncio.create_task(engine.serve(TaskPool()))
    await making.wait()
    engine.post(AbortRequested(A, "you"))
    async with asyncio.timeout(20):
        await serving

    assert engine.state.task(A).phase is Phase.ABORTED
    assert engine.state.task(A).reason == "aborted by you"
    assert not world.runner.starts


async def test_a_request_counts_as_taken_once_it_is_in_the_journal() -> None:
    world = FakeWorld()
    world.runner.manual = {A}
    engine = world.engine(world.begin(task("a")))
    serving = asyncio.create_task(engine.serve(TaskPool()))
    await until(lambda: bool(world.runner.alive))
    world.journal.full = 3
    engine.post(PauseRequested(A, "you"))
    assert await engine.stored()
    assert any(isinstance(event, PauseRequested) for _, event in world.journal.rows)

    world.journal.limit = 0  # the engine is let go of while it waits for the disk
    engine.post(ResumeRequested(A, "you"))
    stored = asyncio.create_task(engine.stored())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    serving.cancel()
    assert not await stored
    assert not await engine.stored()


async def test_a_run_of_which_all_is_switched_off_ends_at_once() -> None:
    world = FakeWorld()
    state = world.begin(task("a", enabled=False), rules=RunRules(land_at_end=True))
    state = await finish(world, state)

    assert (state.outcome, state.exit_code) == (Outcome.OK, 0)


async def test_whoever_attends_keeps_a_paused_run_alive_and_their_leaving_ends_it() -> None:
    world = FakeWorld()
    world.runner.manual.add(A)
    engine = world.engine(world.begin(task("a")))
    leave = engine.attend()
    serving = asyncio.create_task(engine.serve(TaskPool()))
    await until(lambda: engine.state.task(A).phase is Phase.RUNNING)
    engine.post(PauseRequested(A, "you"))
    await until(lambda: engine.state.task(A).phase is Phase.PAUSED)
    assert engine.state.stage is RunStage.RUNNING

    world.clock.time += 601  # a person who pauses something counts as present for a while
    leave()
    await serving
    assert (engine.state.outcome, engine.state.exit_code) == (Outcome.INTERRUPTED, 130)
    assert engine.state.task(A).phase is Phase.READY
    assert any("nobody is attached" in text for text in engine.state.notices)
