"""Linked worktrees in state directories of version 0.1: their work lands, then they are removed."""

from pex_tui.adapters.git.maintenance.cleanup import Cleaner
from pex_tui.adapters.git.plumbing.worktree_record import Worktree, save
from pex_tui.core.model.ids import CommitId
from tests.adapters.git.conftest import RUN, Bench, git_in, key_of, writer


async def at_work_in_a_linked_one(bench: Bench) -> Worktree:
    """Return an attempt at work as version 0.1 left it."""
    path = bench.places.root.resolve() / "pool" / "1"
    path.parent.mkdir()
    bench.project.git("worktree", "add", "-q", "--detach", "--lock", str(path))
    head = CommitId(bench.project.git("rev-parse", "HEAD"))
    admin = bench.project.path.resolve() / ".git" / "worktrees" / "1"
    made = Worktree(path, admin, head, key_of("a"))
    save(made)
    bench.restart()
    (path / "new.txt").write_text("new\n")
    git_in(path, "switch", "-q", "-c", "mine")
    git_in(path, "add", "new.txt")
    git_in(path, "commit", "-q", "-m", "mine")
    return made


async def test_its_work_is_captured_and_the_next_attempt_gets_a_repository(bench: Bench) -> None:
    linked = await at_work_in_a_linked_one(bench)
    tip = git_in(linked.path, "rev-parse", "HEAD")
    done = await bench.capture(key_of("a"))
    assert (done.files, done.own_commits) == (("new.txt",), 1)
    assert bench.refs() == {"refs/pex/7f3a/a/1": done.work, "refs/pex/7f3a/a/1-head": tip}
    bench.project.git("branch", "-D", "mine")  # nothing refers to it
    path = await bench.prepare(key_of("b"), writer())
    assert path == linked.path
    assert (path / ".git").is_dir()
    assert not linked.git_dir.parent.exists()
    assert git_in(path, "status", "--porcelain", "--ignored") == ""


async def test_a_clean_keeps_its_work_and_takes_its_registration_away(bench: Bench) -> None:
    linked = await at_work_in_a_linked_one(bench)
    cleaner = Cleaner(bench.repository, bench.places, [RUN])
    kept = (await cleaner.perform(await cleaner.plan())).rescued
    assert bench.show(kept[0], "new.txt") == "new"
    assert not linked.path.exists()
    assert not linked.git_dir.parent.exists()
