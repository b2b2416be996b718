"""Shared checkouts are checked without git as long as no file is touched."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pex_tui.adapters.git.plumbing.shadow_index import ShadowIndex
from pex_tui.adapters.git.workspaces import change_detector as touches
from pex_tui.engine.ports import Captured
from tests.adapters.git.conftest import Bench, git_in, key_of, reader


class Looks:
    """Counts git's answers about changes."""

    def __init__(self) -> None:
        self.count = 0


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    """Count from here on."""
    made = Looks()
    asked = ShadowIndex.tracked_changes

    async def counted(self: ShadowIndex) -> tuple[str, ...]:
        made.count += 1
        return await asked(self)

    monkeypatch.setattr(ShadowIndex, "tracked_changes", counted)
    return made


class Readers:
    """A shared checkout in which one reader after another ends."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._count = 0

    async def begin(self) -> Path:
        self._count += 1
        return await self._bench.prepare(key_of(f"r{self._count}"), reader())

    async def end(self) -> Captured:
        return await self._bench.capture(key_of(f"r{self._count}"), reader())

    async def pass_by(self, times: int = 1) -> Path:
        """Let readers pass that change nothing; return their checkout."""
        for _ in range(times):
            path = await self.begin()
            assert await self.end() == Captured(None)
        return path


@pytest.fixture
async def readers(bench: Bench) -> Readers:
    """Readers of a checkout whose files are known, and old enough to be trusted."""
    made = Readers(bench)
    path = await made.pass_by()
    newest = max(entry.lstat().st_ctime_ns for entry in path.rglob("*"))
    settled = newest + 2 * touches.TICK_NS
    while time.time_ns() < settled:
        await made.pass_by()
    await made.pass_by()
    return made


async def test_git_is_not_asked_while_nothing_is_touched(readers: Readers, looks: Looks) -> None:
    path = await readers.pass_by(5)
    (path / "build").mkdir()
    (path / "src" / "__pycache__").mkdir()
    (path / "src" / "__pycache__" / "one.pyc").write_text("a tool's")
    await readers.pass_by(5)
    assert looks.count == 0


def write_same_size(path: Path) -> None:
    """Write as stealthily as possible: in place, same size, old times restored."""
    file = path / "src" / "one.py"
    before = file.stat()
    with file.open("r+") as stream:
        stream.write("one = 7")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace(path: Path) -> None:
    fresh = path / "src" / "fresh"
    fresh.write_text("one = 7\n")
    fresh.replace(path / "src" / "one.py")


def become_a_folder(path: Path) -> None:
    (path / "src" / "one.py").unlink()
    (path / "src" / "one.py").mkdir()


def stage(path: Path) -> None:
    (path / "src" / "one.py").write_text("one = 7\n")
    git_in(path, "add", "-A")


CHANGES: list[Callable[[Path], object]] = [
    write_same_size,
    replace,
    become_a_folder,
    stage,
    lambda path: (path / "src" / "one.py").unlink(),
    lambda path: (path / "src" / "one.py").chmod(0o755),
]


@pytest.mark.parametrize("change", CHANGES)
async def test_each_change_is_found(readers: Readers, change: Callable[[Path], object]) -> None:
    change(await readers.begin())
    assert (await readers.end()).trespass == ("src/one.py",)


async def test_a_folder_moved_away_behind_a_link_is_found(readers: Readers, tmp_path: Path) -> None:
    path = await readers.begin()
    (path / "src").rename(tmp_path / "elsewhere")
    (path / "src").symlink_to(tmp_path / "elsewhere")
    assert (await readers.end()).trespass == ("src/one.py", "src/two.py")


async def test_a_touched_file_with_the_same_content_is_no_change(
    readers: Readers, looks: Looks
) -> None:
    path = await readers.begin()
    os.utime(path / "README.md")
    shutil.copy2(path / "src" / "one.py", path / "copy")
    (path / "copy").replace(path / "src" / "one.py")
    assert await readers.end() == Captured(None)
    assert looks.count == 1


async def test_a_change_in_the_same_tick_as_an_innocent_touch_is_found(readers: Readers) -> None:
    path = await readers.begin()
    os.utime(path / "README.md")
    # Git is asked, and the checkout is not trusted yet.
    assert await readers.end() == Captured(None)
    await readers.begin()
    (path / "README.md").write_text("# Simple\n")
    assert (await readers.end()).trespass == ("README.md",)


async def test_what_was_touched_within_a_tick_of_the_clock_is_never_trusted(
    readers: Readers, looks: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(touches, "TICK_NS", 10**15)  # two changes within one tick look like one
    (await readers.begin() / "README.md").touch()
    await readers.end()
    await readers.pass_by(3)
    assert looks.count == 4


async def test_with_many_files_git_is_asked_each_time(
    bench: Bench, looks: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(touches, "MOST_FILES", 3)
    await Readers(bench).pass_by(4)
    assert looks.count == 4


async def test_with_a_submodule_git_is_asked_each_time(bench: Bench, looks: Looks) -> None:
    bench.project.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendor")
    bench.project.git("commit", "-q", "-m", "vendor")
    await Readers(bench).pass_by(4)
    assert looks.count == 4
