"""A run that another process drives is shown as that process sees it, and controlled through it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pex_tui.adapters.ipc.attached_session import AttachedSession
from pex_tui.adapters.ipc.control_socket import ControlServer
from pex_tui.adapters.storage.engine_lock import Holder
from pex_tui.adapters.storage.journal import SqliteJournal
from pex_tui.adapters.system.probe import TreeMeter
from pex_tui.core.events.run_events import (
    AgentProgressed,
    AgentStarted,
    Event,
    PauseRequested,
    RunPlanned,
    TaskDispatched,
    WorkspacePrepared,
)
from pex_tui.core.model.ids import CommitId, RunId, SlotId, TaskId
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.plan import Plan
from pex_tui.core.model.run_rules import RunRules
from pex_tui.core.model.state import RunState
from pex_tui.core.step import replay
from pex_tui.engine.pool import TaskPool
from pex_tui.engine.run_paths import RunPaths
from pex_tui.errors import UserError
from tests.core.world import task
from tests.engine.fakes import FakeGit
from tests.waiting import until

RUN = RunId("7f3a")
A = TaskId("a")
BASE = CommitId("b" * 40)
EVENTS: list[Event] = [
    RunPlanned(RUN, Plan((task("a"),)), RunRules(), BASE, "pex/7f3a", None, 1, at=1.0),
    TaskDispatched(A, 1, SlotId(1), at=2.0),
]
MORE: list[Event] = [
    WorkspacePrepared(A, 1, "/ws/a", BASE, at=3.0),
    AgentStarted(A, 1, SlotId(1), 4711, 3.0, at=3.5),
    AgentProgressed(A, 1, 0.5, "Half of it", at=4.0),
]


class Owner:
    """The process that drives the run: its journal, its socket, its lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = SqliteJournal(folder / "journal.db")
        self.written: list[Event] = []
        self.asked: list[Event] = []
        self.holder: Holder | None = Holder(1, RUN, "here", 1.0, str(folder / "c.sock"))
        self.server = ControlServer(
            folder / "c.sock", lambda: self.state, self.asked.append, self._diff, None
        )

    @property
    def state(self) -> RunState:
        return replay(self.written)

    async def _diff(self, name: TaskId) -> str:
        return f"+{name} so far\n"

    async def write(self, events: list[Event]) -> None:
        start = len(self.written) + 1
        self.written += events
        await self.journal.append(RUN, list(enumerate(events, start)))

    def follower(self, name: str) -> AttachedSession:
        journal = SqliteJournal(self.folder / "journal.db")
        return AttachedSession(
            journal,
            journal.read(RUN),
            RunPaths(self.folder),
            FakeGit(),
            TreeMeter(),
            lambda: self.holder,
            actor=name,
        )


@pytest.fixture
async def owner(tmp_path: Path) -> AsyncIterator[Owner]:
    made = Owner(tmp_path)
    await made.server.start()
    await made.write(EVENTS)
    yield made
    made.server.close()
    await made.journal.close()


async def test_two_watchers_see_what_the_owner_sees(owner: Owner) -> None:
    watchers = [owner.follower("anna"), owner.follower("bert")]
    seen: list[RunState] = []
    watchers[0].subscribe(seen.append)
    serving = [asyncio.create_task(watcher.serve(TaskPool())) for watcher in watchers]

    await owner.write(MORE[:2])
    await until(lambda: all(one.state.task(A).phase is Phase.RUNNING for one in watchers))
    await owner.write(MORE[2:])  # telemetry: in the journal within a second
    await until(lambda: all(one.state == owner.state for one in watchers))

    assert seen[-1] == owner.state
    for watcher in watchers:
        assert watcher.is_driven
        await watcher.let_go()
    await asyncio.gather(*serving)


async def test_a_request_reaches_the_owner_with_the_name_of_who_asked(owner: Owner) -> None:
    watcher = owner.follower("attached process 7")

    await watcher.ask(PauseRequested(A, "you"))

    assert owner.asked == [PauseRequested(A, "attached process 7")]


async def test_the_owner_tells_what_a_running_task_has_changed(owner: Owner) -> None:
    await owner.write(MORE)

    assert await owner.follower("anna").diff(A) == "+a so far\n"


async def test_when_the_owner_goes_the_last_word_is_read_and_the_watch_ends(owner: Owner) -> None:
    watcher = owner.follower("anna")
    serving = asyncio.create_task(watcher.serve(TaskPool()))
    await until(lambda: watcher.is_driven)
    await owner.write(MORE[:2])
    owner.holder = None

    await serving

    assert watcher.state == owner.state
    assert not watcher.is_driven


async def test_without_an_owner_nothing_can_be_asked(owner: Owner) -> None:
    watcher = owner.follower("anna")
    owner.holder = None

    with pytest.raises(UserError, match="no process drives this run now"):
        await watcher.ask(PauseRequested(A, "you"))


async def test_the_owner_of_another_run_is_not_asked(owner: Owner) -> None:
    watcher = owner.follower("anna")
    owner.holder = Holder(1, RunId("other"), "here", 1.0, str(owner.folder / "c.sock"))

    with pytest.raises(UserError, match="no process drives this run now"):
        await watcher.ask(PauseRequested(A, "you"))
    assert owner.asked == []
