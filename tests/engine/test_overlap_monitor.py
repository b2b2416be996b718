"""The overlap monitor beside the engine: when it looks, and when it reports."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pex_tui.core.events.overlap_events import OverlapGone, OverlapSeen, WritesSeen
from pex_tui.core.events.run_events import Event, Noticed
from pex_tui.core.model.conflict import ConflictPath
from pex_tui.core.model.ids import CommitId, TaskId
from pex_tui.core.model.plan import Isolation
from pex_tui.core.model.state import Outcome
from pex_tui.engine.attempt import AttemptKey
from pex_tui.engine.contained import in_words
from pex_tui.engine.overlap_monitor import MOST_FILES
from pex_tui.engine.overlap_probe import ChangeSet
from pex_tui.engine.pool import TaskPool
from pex_tui.engine.ports import WorkspaceError
from tests.core.world import task
from tests.engine.fakes import BASE, FakeWorld, until

A, B = TaskId("a"), TaskId("b")


@dataclass
class FakeLookout:
    """Footprints by hand; two that change the same file overlap."""

    files: dict[TaskId, tuple[str, ...]] = field(default_factory=dict)
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    watched: list[frozenset[Path]] = field(default_factory=list)
    broken: bool = False
    faults: list[Exception] = field(default_factory=list)  # raised by the next look, in turn
    watching: int = 0

    def watch(self, warn: Callable[[str], None]) -> "FakeLookout":
        self.watching += 1
        warn("no file watch is left")
        return self

    def follow(self, folders: frozenset[Path]) -> None:
        self.watched.append(folders)
        self.stirred.set()

    async def changes(self) -> frozenset[Path]:
        while not (self.watched and self.watched[-1]):
            self.stirred.clear()
            await self.stirred.wait()
        await self.stirred.wait()
        self.stirred.clear()
        return self.watched[-1]

    def close(self) -> None:
        self.watching -= 1

    async def change_set(self, key: AttemptKey, before: ChangeSet | None) -> ChangeSet | None:
        if self.faults:
            raise self.faults.pop(0)
        if self.broken:
            raise WorkspaceError("no git")
        files = self.files.get(key.task, ())
        if before is not None and before.files == files:
            return before
        return ChangeSet(BASE, CommitId(f"{key.task}{files}"), "tree", files)

    async def overlap(self, first: ChangeSet, second: ChangeSet) -> tuple[ConflictPath, ...]:
        return tuple(ConflictPath(path) for path in sorted({*first.files} & {*second.files}))


def told(world: FakeWorld, *kinds: type[Event]) -> list[Event]:
    """The events of these kinds that were journaled."""
    return [event for _, event in world.journal.rows if isinstance(event, kinds)]


async def test_changes_are_told_once_and_overlaps_come_and_go() -> None:
    overlap_probe = FakeLookout()
    world = FakeWorld(overlap_probe=overlap_probe)
    world.runner.manual = {A, B}
    state = world.begin(task("a", writes=None), task("b", writes=None))
    engine = world.engine(state)
    serving = asyncio.create_task(engine.serve(TaskPool()))
    await until(lambda: len(world.runner.alive) == 2 and bool(overlap_probe.watched))

    overlap_probe.files = {A: ("x.py",), B: ("x.py", "y.py")}
    overlap_probe.stirred.set()
    await until(lambda: bool(told(world, OverlapSeen)))
    overlap_probe.stirred.set()
    overlap_probe.files = {A: ("x.py",), B: ("y.py",)}
    overlap_probe.stirred.set()
    await until(lambda: bool(told(world, OverlapGone)))

    writes = told(world, WritesSeen)
    assert [(one.task, one.files) for one in writes if isinstance(one, WritesSeen)][:2] in (
        [(A, ("x.py",)), (B, ("x.py", "y.py"))],
        [(B, ("x.py", "y.py")), (A, ("x.py",))],
    )
    assert len(told(world, OverlapSeen)) == 1
    for key in list(world.runner.alive):
        world.runner.end(key)
    await serving


async def test_readers_are_not_watched_and_a_git_that_fails_ends_nothing() -> None:
    overlap_probe = FakeLookout()
    world = FakeWorld(overlap_probe=overlap_probe)
    overlap_probe.broken = True
    world.runner.manual = {A, B}
    reader = task("b", writes=(), isolation=Isolation.SHARED)
    state = world.begin(task("a", writes=None), reader)
    engine = world.engine(state)
    serving = asyncio.create_task(engine.serve(TaskPool()))
    await until(lambda: len(world.runner.alive) == 2 and bool(overlap_probe.watched))
    assert all(len(folders) <= 1 for folders in overlap_probe.watched)
    for key in list(world.runner.alive):
        world.runner.end(key)
    await serving
    assert not told(world, WritesSeen, OverlapSeen)


@pytest.mark.parametrize("fault", [RuntimeError("odd"), MemoryError(), UnicodeError("bytes")])
async def test_a_radar_that_fails_is_said_once_and_sees_again_later(fault: Exception) -> None:
    overlap_probe = FakeLookout(files={A: ("x.py",), B: ("x.py",)}, faults=[fault, fault])
    world = FakeWorld(overlap_probe=overlap_probe)
    world.runner.manual = {A, B}
    engine = world.engine(world.begin(task("a", writes=None), task("b", writes=None)))
    serving = asyncio.create_task(engine.serve(TaskPool()))
    while not told(world, OverlapSeen):
        overlap_probe.stirred.set()
        await asyncio.sleep(0)
    for key in list(world.runner.alive):
        world.runner.end(key)
    await serving
    said = [one.text for one in told(world, Noticed) if isinstance(one, Noticed)]
    assert [text for text in said if text.startswith("Overlap detection failed")] == [
        f"Overlap detection failed and is disabled for now: {in_words(fault)}."
    ]
    assert len(world.faults) == 2
    assert overlap_probe.watching == 0
    assert engine.state.outcome is Outcome.OK


async def _look(world: FakeWorld, overlap_probe: FakeLookout) -> None:
    before = world.clock.time
    overlap_probe.stirred.set()
    await until(lambda: world.clock.time > before)


async def test_an_attempt_that_changes_very_many_files_floods_no_journal() -> None:
    overlap_probe = FakeLookout()
    world = FakeWorld(overlap_probe=overlap_probe)
    world.runner.manual = {A}
    engine = world.engine(world.begin(task("a", writes=None)))
    serving = asyncio.create_task(engine.serve(TaskPool()))
    await until(lambda: bool(overlap_probe.watched and overlap_probe.watched[-1]))
    for count in range(MOST_FILES - 1, MOST_FILES + 4):
        overlap_probe.files = {A: tuple(map(str, range(count)))}
        await _look(world, overlap_probe)
    for key in list(world.runner.alive):
        world.runner.end(key)
    await serving
    assert len(told(world, WritesSeen)) <= 2
    said = [one.text for one in told(world, Noticed) if isinstance(one, Noticed)]
    assert len([text for text in said if "more than 5,000 files" in text]) == 1
