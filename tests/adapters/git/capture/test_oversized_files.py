"""Files too large for git are not part of the work, and are never lost."""

from pathlib import Path

import pytest

from pex_tui.adapters.git.capture import oversized_files as left_out
from pex_tui.adapters.git.capture import snapshot
from pex_tui.adapters.git.maintenance.cleanup import Cleaner
from pex_tui.engine.attempt import AttemptKey
from pex_tui.engine.cleaning import LeftoverKind
from tests.adapters.git.conftest import RUN, Bench, git_in, key_of, writer

LARGE = "0123456789" * 1000


class Crash(BaseException):
    """A crash of the engine, which nothing may catch."""


@pytest.fixture
def _small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "HUGE_BYTES", 5000)


pytestmark = pytest.mark.usefixtures("_small_limit")


def kept(bench: Bench, key: AttemptKey) -> dict[str, str]:
    """Return the files kept in the attempt's folder."""
    folder = left_out.left_out_folder(bench.places, key)
    files = [Path(path) for path in left_out.files_left_out(folder)]
    return {str(path.relative_to(folder)): path.read_text() for path in files}


async def test_a_file_beyond_100_mb_is_too_large(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    path = await bench.prepare(key_of(), writer())
    for name, megabytes in (("fits", 1), ("core.dump", 101)):
        with (path / name).open("wb") as stream:
            stream.truncate(megabytes * 1024 * 1024)
    done = await bench.capture(key_of())
    assert done.files == ("fits",)
    assert [Path(name).name for name in done.left_out] == ["core.dump"]


async def test_they_lie_beside_the_attempts_log_before_the_reset(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    (path / "data").mkdir()
    (path / "data" / "large.bin").write_text(LARGE)
    (path / "small").write_text("x")
    done = await bench.capture(key_of())
    target = bench.places.attempt(RUN, key_of().task, 1) / "left-out" / "data" / "large.bin"
    assert done.files == ("small",)
    assert done.left_out == (str(target),)
    assert target.read_text() == LARGE
    assert await bench.prepare(key_of("next"), writer()) == path
    assert not (path / "data").exists()
    bench.restart()
    assert await bench.capture(key_of()) == done


async def test_alone_they_are_no_work_but_are_kept(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    (path / "large").write_text(LARGE)
    done = await bench.capture(key_of())
    assert done.work is None
    assert kept(bench, key_of()) == {"large": LARGE}


async def test_a_tracked_file_that_has_grown_is_work(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    (path / "README.md").write_text(LARGE)
    done = await bench.capture(key_of())
    assert (done.files, done.left_out) == (("README.md",), ())


@pytest.mark.parametrize("step", ["_commit_staged", "changed_paths"])
async def test_a_crash_in_the_middle_of_a_capture_loses_none(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = await bench.prepare(key_of(), writer())
    (path / "large").write_text(LARGE)
    (path / "small").write_text("x")

    async def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(snapshot, step, crash)
        with pytest.raises(Crash):
            await bench.capture(key_of())
    bench.restart()
    done = await bench.capture(key_of())
    assert done.files == ("small",)
    assert len(done.left_out) == 1
    assert kept(bench, key_of()) == {"large": LARGE}


async def test_an_attempt_number_used_again_keeps_both(bench: Bench) -> None:
    for content in (LARGE, LARGE[::-1]):
        path = await bench.prepare(key_of(), writer())
        (path / "large").write_text(content)
        await bench.capture(key_of())
    assert kept(bench, key_of()) == {"large": LARGE, "large~": LARGE[::-1]}


async def test_from_another_disk_they_are_copied(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await bench.prepare(key_of(), writer())
    (path / "large").write_text(LARGE)
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if self.name == "large":
            raise OSError(18, "Invalid cross-device link")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    await bench.capture(key_of())
    assert kept(bench, key_of()) == {"large": LARGE}


async def test_nothing_beyond_a_link_is_taken(bench: Bench, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "film").write_text(LARGE)
    path = await bench.prepare(key_of(), writer())
    (path / "folder").mkdir()
    (path / "folder" / "film").write_text("x")
    git_in(path, "add", "-A")
    (path / "folder" / "film").unlink()
    (path / "folder").rmdir()
    (path / "folder").symlink_to(mine)
    done = await bench.capture(key_of())
    assert (mine / "film").read_text() == LARGE
    assert done.files == ("folder",)
    assert done.left_out == ()


async def test_a_clean_keeps_them_until_forced(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    (path / "large").write_text(LARGE)
    await bench.capture(key_of())
    cleaner = Cleaner(bench.repository, bench.places, [RUN])
    plan = await cleaner.plan()
    (folder,) = plan.kept
    assert folder.kind is LeftoverKind.FOLDER
    assert folder.kept_because == "it holds work that is too large for git (*/*/left-out)"
    await cleaner.perform(plan)
    assert kept(bench, key_of()) == {"large": LARGE}
    forced = Cleaner(bench.repository, bench.places, [RUN], force=True)
    await forced.perform(await forced.plan())
    assert [one.name for one in bench.places.root.iterdir()] == ["undo"]
    (recoverable,) = bench.places.root.rglob("large")
    assert recoverable.read_text() == LARGE


async def test_a_clean_keeps_those_of_an_attempt_that_was_never_captured(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    (path / "large").write_text(LARGE)
    (bench.places.run(RUN)).mkdir(parents=True)
    cleaner = Cleaner(bench.repository, bench.places, [RUN])
    await cleaner.perform(await cleaner.plan())
    assert bench.worktrees() == [str(bench.project.path)]
    assert kept(bench, key_of()) == {"large": LARGE}
