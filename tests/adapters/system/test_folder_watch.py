"""Detection of changes: immediate, never through a link, and even without inotify or threads."""

import asyncio
import errno
import os
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pex_tui.adapters.system import folder_watch
from pex_tui.adapters.system.folder_watch import FolderWatch
from pex_tui.adapters.system.inotify import Inotify
from tests.waiting import PATIENCE_SECONDS


class Counted(Inotify):
    """Records the watched folders; `room` is how many more are possible."""

    def __init__(self, room: int = 1 << 30) -> None:
        super().__init__()
        self.room = room
        self.folders: list[str] = []

    def add(self, folder: str) -> int:
        if len(self.folders) >= self.room:
            raise OSError(errno.ENOSPC, "No space left on device", folder)
        made = super().add(folder)
        self.folders.append(folder)
        return made


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_watch, "POLL_SECONDS", 0.01)


async def heard(watch: FolderWatch) -> frozenset[Path]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await watch.changes()


async def settled(watch: FolderWatch, folders: frozenset[Path]) -> None:
    """Wait until all of them are watched."""
    left = set(folders)
    while left:
        left -= await heard(watch)


@pytest.fixture
async def tree(tmp_path: Path) -> Path:
    (tmp_path / "one" / "src" / "deep").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    return tmp_path


async def test_what_is_written_is_heard_of_and_caches_are_not(tree: Path, said: list[str]) -> None:
    folders = frozenset({tree / "one", tree / "other"})
    with closing(FolderWatch(said.append)) as watch:
        watch.follow(folders)
        await settled(watch, folders)
        (tree / "other" / "__pycache__").mkdir()
        (tree / "other" / "x.pyc").write_bytes(b"")
        (tree / "other" / ".git").mkdir()
        (tree / "one" / "src" / "deep" / "a.py").write_text("x")
        assert await heard(watch) == {tree / "one"}
        (tree / "other" / "new" / "below").mkdir(parents=True)
        await settled(watch, frozenset({tree / "other"}))
        while True:  # a folder made a moment ago is watched soon
            (tree / "other" / "new" / "below" / "b.py").write_text("x")
            (tree / "one" / "src").rename(tree / "one" / "lib")
            if await heard(watch):
                break
        await asyncio.sleep(0)
        (tree / "one" / "lib" / "deep" / "a.py").write_text("y")
        await settled(watch, frozenset({tree / "one"}))
    assert said == []


async def test_a_folder_that_no_longer_counts_is_not_heard_of(tree: Path) -> None:
    made: list[Counted] = []

    def make() -> Counted:
        made.append(Counted())
        return made[0]

    with closing(FolderWatch(lambda _: None, make)) as watch:
        watch.follow(frozenset({tree / "one"}))
        await settled(watch, frozenset({tree / "one"}))
        watch.follow(frozenset({tree / "other"}))
        await settled(watch, frozenset({tree / "other"}))
        (tree / "one" / "a.py").write_text("x")
        (tree / "other" / "a.py").write_text("x")
        assert await heard(watch) == {tree / "other"}
    assert len(made[0].folders) == 4  # a watched folder is not scanned again


async def test_no_link_is_followed_neither_at_the_start_nor_later(tree: Path) -> None:
    made: list[Counted] = []

    def make() -> Counted:
        made.append(Counted())
        return made[0]

    (tree / "one" / "up").symlink_to("/")
    (tree / "outside" / "far").mkdir(parents=True)
    (tree / "away").symlink_to(tree / "outside")
    folders = frozenset({tree / "one", tree / "away"})
    with closing(FolderWatch(lambda _: None, make)) as watch:
        watch.follow(folders)
        await settled(watch, folders)
        (tree / "one" / "usr").symlink_to("/usr")
        await settled(watch, frozenset({tree / "one"}))
        (tree / "outside" / "far" / "x").touch()
        (tree / "one" / "a.py").touch()
        assert await heard(watch) == {tree / "one"}
    ours = {tree / "one", tree / "one" / "src", tree / "one" / "src" / "deep"}
    assert set(map(Path, made[0].folders)) == ours


async def test_a_folder_that_was_moved_out_is_heard_of_no_more(tree: Path) -> None:
    folders = frozenset({tree / "one"})
    with closing(FolderWatch(lambda _: None)) as watch:
        watch.follow(folders)
        await settled(watch, folders)
        (tree / "one" / "src").rename(tree / "src")
        await settled(watch, folders)
        (tree / "src" / "deep" / "x").touch()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await watch.changes()


def no_queue() -> Inotify:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: Counted(room=2), "no file watch is left (fs.inotify.max_user_watches)"),
        (no_queue, "no inotify queue is left (fs.inotify.max_user_instances)"),
    ],
)
async def test_without_watches_folders_are_looked_at_now_and_then_and_that_is_said_once(
    tree: Path, said: list[str], make: type[Counted], why: str
) -> None:
    folders = frozenset({tree / "one", tree / "other"})
    with closing(FolderWatch(said.append, make)) as watch:
        watch.follow(folders)
        for _ in range(3):
            while tree / "one" not in await heard(watch):
                pass
    assert said == [why]


@pytest.mark.usefixtures("quick")
async def test_without_a_thread_folders_are_looked_at_now_and_then(
    tree: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_thread)
    with closing(FolderWatch(said.append)) as watch:
        watch.follow(frozenset({tree / "one"}))
        for _ in range(3):
            assert await heard(watch) == {tree / "one"}
    assert said == ["no thread can be started"]


async def test_a_fault_of_the_watcher_reaches_whoever_waits(tree: Path) -> None:
    class Odd(Inotify):
        def add(self, folder: str) -> int:
            raise LookupError(folder)

    with closing(FolderWatch(lambda _: None, Odd)) as watch:
        watch.follow(frozenset({tree / "one"}))
        with pytest.raises(LookupError):
            await heard(watch)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A disk that does not answer until the event is set."""
    answers = threading.Event()
    real = folder_watch._folders_in

    def wait(folder: str) -> list[str]:
        answers.wait(PATIENCE_SECONDS)
        return real(folder)

    monkeypatch.setattr(folder_watch, "_folders_in", wait)
    yield answers
    answers.set()


async def test_a_disk_that_does_not_answer_holds_nobody_up(
    tree: Path, slow: threading.Event
) -> None:
    with closing(FolderWatch(lambda _: None)) as watch:
        watch.follow(frozenset({tree / "one"}))
        waiting = asyncio.ensure_future(watch.changes())
        for _ in range(1000):  # the loop keeps running
            await asyncio.sleep(0)
        assert not waiting.done()
        slow.set()
        assert await waiting == {tree / "one"}
