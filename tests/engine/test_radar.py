"""The radar beside the engine: what it looks at, and when it speaks."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from pex_tui.core.conflict import SharedPath
from pex_tui.core.events import Event
from pex_tui.core.ids import CommitId, TaskId
from pex_tui.core.plan import Isolation
from pex_tui.core.radar_events import OverlapGone, OverlapSeen, WritesSeen
from pex_tui.engine.attempt import AttemptKey
from pex_tui.engine.lookout import Footprint
from pex_tui.engine.pool import TaskPool
from pex_tui.engine.ports import WorkspaceError
from tests.core.world import task
from tests.engine.fakes import BASE, FakeWorld, until

A, B = TaskId("a"), TaskId("b")


@dataclass
class FakeLookout:
    """Footprints by hand; two that change the same file collide."""

    files: dict[TaskId, tuple[str, ...]] = field(default_factory=dict)
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    watched: list[frozenset[Path]] = field(default_factory=list)
    broken: bool = False

    async def changes(self, folders: frozenset[Path]) -> AsyncIterator[frozenset[Path]]:
        self.watched.append(folders)
        while True:
            yield folders
            await self.stirred.wait()
            self.stirred.clear()

    async def footprint(self, key: AttemptKey, before: Footprint | None) -> Footprint | None:
        if self.broken:
            raise WorkspaceError("no git")
        files = self.files.get(key.task, ())
        if before is not None and before.files == files:
            return before
        return Footprint(BASE, CommitId(f"{key.task}{files}"), "tree", files)

    async def collision(self, first: Footprint, second: Footprint) -> tuple[SharedPath, ...]:
        return tuple(SharedPath(path) for path in sorted({*first.files} & {*second.files}))


def told(world: FakeWorld, *kinds: type[Event]) -> list[Event]:
    """The events of these kinds that were journaled."""
    return [event for _, event in world.journal.rows if isinstance(event, kinds)]


async def test_changes_are_told_once_and_collisions_come_and_go() -> None:
    lookout = FakeLookout()
    world = FakeWorld(lookout=lookout)
    world.runner.manual = {A, B}
    state = world.begin(task("a", writes=None), task("b", writes=None))
    engine = world.engine(state)
    serving = asyncio.create_task(engine.serve(TaskPool()))
    await until(lambda: len(world.runner.alive) == 2 and bool(lookout.watched))

    lookout.files = {A: ("x.py",), B: ("x.py", "y.py")}
    lookout.stirred.set()
    await until(lambda: bool(told(world, OverlapSeen)))
    lookout.stirred.set()
    lookout.files = {A: ("x.py",), B: ("y.py",)}
    lookout.stirred.set()
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
    lookout = FakeLookout()
    world = FakeWorld(lookout=lookout)
    lookout.broken = True
    world.runner.manual = {A, B}
    reader = task("b", writes=(), isolation=Isolation.SHARED)
    state = world.begin(task("a", writes=None), reader)
    engine = world.engine(state)
    serving = asyncio.create_task(engine.serve(TaskPool()))
    await until(lambda: len(world.runner.alive) == 2 and bool(lookout.watched))
    assert all(len(folders) == 1 for folders in lookout.watched)
    for key in list(world.runner.alive):
        world.runner.end(key)
    await serving
    assert not told(world, WritesSeen, OverlapSeen)
