"""Failures that do not end the run: every action at every port, and advisory parts."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from pex_tui.core.events.run_events import Event, Noticed, PauseRequested
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.run_rules import RunRules
from pex_tui.core.model.state import Outcome, RunState
from pex_tui.engine.attempt import AgentReport, Progress
from pex_tui.engine.contained import Advisor
from pex_tui.engine.local import LocalSession
from pex_tui.engine.pool import TaskPool
from pex_tui.engine.run_paths import RunPaths
from pex_tui.engine.session import Usage
from tests.core.world import task
from tests.engine.fakes import FakeWorld, until

A = TaskId("a")
FAULTS = [RuntimeError("odd"), MemoryError(), UnicodeError("bytes")]


def broken(fault: Exception) -> Any:
    """Return a method of a port that fails in an unforeseen way."""

    async def fail(*_: object, **__: object) -> Any:
        raise fault

    return fail


async def finish(world: FakeWorld, state: RunState) -> RunState:
    engine = world.engine(state)
    async with asyncio.timeout(20):
        await engine.serve(TaskPool())
    return engine.state


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", ["prepare", "capture", "merge", "gate", "move", "land_run"])
async def test_a_fault_in_a_performer_is_that_tasks_failure_and_never_the_runs_end(
    method: str, fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = FakeWorld()
    world.git.changes = {A: ("x",)}
    monkeypatch.setattr(world.git, method, broken(fault))
    state = world.begin(
        task("a"), rules=RunRules(land_at_end=True, max_retries=0), verify=(("check",),)
    )
    over = await finish(world, state)
    assert fault in world.faults
    shown = " ".join([over.task(A).reason, over.land_detail, *over.notices])
    assert type(fault).__name__ in shown


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", ["start", "wait"])
async def test_a_fault_of_the_runner_is_that_attempts_failure(
    method: str, fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = FakeWorld()
    monkeypatch.setattr(world.runner, method, broken(fault))
    over = await finish(world, world.begin(task("a"), rules=RunRules(max_retries=0)))
    assert over.exit_code == 1
    assert fault in world.faults
    assert type(fault).__name__ in over.task(A).reason


async def test_reports_that_break_off_are_said_and_the_attempt_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = FakeWorld()

    async def reports(_: object) -> AsyncIterator[AgentReport]:
        yield Progress(0.5, "half way")
        raise RuntimeError("odd")

    monkeypatch.setattr(world.runner, "reports", reports)
    over = await finish(world, world.begin(task("a")))
    assert over.exit_code == 0
    assert "Following a failed and is disabled for now: RuntimeError: odd." in over.notices


@pytest.mark.parametrize("fault", FAULTS)
async def test_steering_that_fails_is_said(
    fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = FakeWorld()
    world.runner.manual = {A}
    monkeypatch.setattr(world.runner, "pause", broken(fault))
    engine = world.engine(world.begin(task("a")))
    serving = asyncio.create_task(engine.serve(TaskPool()))
    await until(lambda: bool(world.runner.alive))
    engine.post(PauseRequested(A, "you"))
    await until(lambda: any("could not be paused" in text for text in engine.state.notices))
    for key in list(world.runner.alive):
        world.runner.end(key)
    await serving
    assert engine.state.outcome is Outcome.OK


async def test_whoever_is_told_of_the_run_may_fail() -> None:
    world = FakeWorld()
    engine = world.engine(world.begin(task("a")))

    def fail(*_: object) -> None:
        raise RuntimeError("odd")

    engine.watch(fail)
    engine.subscribe(fail)
    await engine.serve(TaskPool())
    assert engine.state.outcome is Outcome.OK
    said = [event.text for _, event in world.journal.rows if isinstance(event, Noticed)]
    assert said == ["Publishing the run's state failed and is disabled for now: RuntimeError: odd."]


async def test_meter_and_live_diff_may_fail(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    world = FakeWorld()
    world.runner.manual = {A}

    class Broken:
        def read(self, roots: object) -> Usage:
            raise RuntimeError(str(roots))

    engine = world.engine(world.begin(task("a")))
    monkeypatch.setattr(world.git, "diff", broken(UnicodeError("bytes")))
    session = LocalSession(
        engine, world.ports(), RunPaths(tmp_path), Broken(), lambda: None, actor="you"
    )
    serving = asyncio.create_task(session.serve(TaskPool()))
    await until(lambda: bool(world.runner.alive))
    assert await session.usage() == await session.usage() == Usage()
    assert "can't be shown" in await session.diff(A)
    for key in list(world.runner.alive):
        world.runner.end(key)
    await serving
    said = [event.text for _, event in world.journal.rows if isinstance(event, Noticed)]
    assert [text.partition(" failed")[0] for text in said] == ["Measuring agents", "The live diff"]


async def test_an_advising_part_rests_longer_after_each_failure() -> None:
    rests: list[float] = []
    said: list[str] = []
    faults: list[Event | Exception] = []

    async def part() -> None:
        if len(rests) < 8:
            raise ExceptionGroup("group", [ValueError("inner")])

    async def sleep(seconds: float) -> None:
        rests.append(seconds)

    await Advisor("It", said.append, faults.append).keep(part, sleep)
    assert rests == [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0]
    assert said == ["It failed and is disabled for now: ValueError: inner."]
    assert len(faults) == 8
