"""An attempt that continues an earlier one's work, in the folder its session is bound to."""

from pathlib import Path

from pex_tui.core.model.ids import CommitId
from pex_tui.engine.attempt import AttemptKey
from pex_tui.engine.ports import Workspace
from tests.adapters.git.conftest import Bench, git_in, key_of, writer

FIRST = key_of("a")
SECOND = AttemptKey(FIRST.run, FIRST.task, 2)


async def first_try(bench: Bench, name: str, text: str) -> tuple[Path, CommitId]:
    """Return the first attempt's folder and work."""
    path = await bench.prepare(FIRST, writer())
    (path / name).write_text(text)
    work = (await bench.capture(FIRST)).work
    assert work is not None
    return path, work


async def again(bench: Bench, seed: CommitId, near: Path | None = None) -> Workspace:
    """Return the second attempt's workspace on the newest commit."""
    tip = CommitId(bench.project.git("rev-parse", "HEAD"))
    return await bench.workspaces.prepare(SECOND, writer(), tip, seed, near)


async def test_work_that_fits_the_newest_commit_is_put_on_top_of_it(bench: Bench) -> None:
    _, work = await first_try(bench, "new.txt", "half\n")
    bench.project.write("landed.txt", "meanwhile\n")
    bench.project.git("add", "-A")
    bench.project.git("commit", "-qm", "meanwhile")
    made = await again(bench, work)

    assert made.holds_work
    assert (made.path / "new.txt").read_text() == "half\n"
    assert (made.path / "landed.txt").read_text() == "meanwhile\n"
    (made.path / "new.txt").write_text("whole\n")
    done = await bench.capture(SECOND)
    assert done.files == ("new.txt",)
    assert bench.show(done.work, "new.txt") == "whole"


async def test_work_that_does_not_fit_leaves_a_clean_workspace(bench: Bench) -> None:
    _, work = await first_try(bench, "src/one.py", "mine\n")
    bench.project.write("src/one.py", "theirs\n")
    bench.project.git("commit", "-qam", "meanwhile")
    made = await again(bench, work)

    assert not made.holds_work
    assert (made.path / "src" / "one.py").read_text() == "theirs\n"
    assert git_in(made.path, "status", "--porcelain") == ""


async def test_a_planted_deletion_stays_a_deletion(bench: Bench) -> None:
    path = await bench.prepare(FIRST, writer())
    (path / "src" / "one.py").unlink()
    work = (await bench.capture(FIRST)).work
    assert work is not None
    made = await again(bench, work)

    assert not (made.path / "src" / "one.py").exists()
    assert (await bench.capture(SECOND)).files == ("src/one.py",)


async def test_the_place_of_the_session_is_taken_where_it_is_free(bench: Bench) -> None:
    other = await bench.prepare(key_of("b"), writer())
    path, work = await first_try(bench, "new.txt", "half\n")
    await bench.capture(key_of("b"))
    assert path != other
    made = await again(bench, work, near=path)

    assert made.path == path


async def test_a_place_that_is_taken_by_another_is_left_to_it(bench: Bench) -> None:
    path, work = await first_try(bench, "new.txt", "half\n")
    assert await bench.prepare(key_of("b"), writer()) == path
    made = await again(bench, work, near=path)

    assert made.path != path
    assert made.holds_work
