"""Damage that agents do to their workspaces harms neither their work nor the next task."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pex_tui.core.model.unlanded import Why
from pex_tui.engine.ports import Captured, WorkspaceError
from tests.adapters.git.conftest import Bench, git_in, key_of, writer


def admin(path: Path) -> Path:
    """Return a workspace's git directory."""
    return path / ".git"


def deletes_its_repository(path: Path) -> None:
    shutil.rmtree(path / ".git")


def starts_its_own_repository(path: Path) -> None:
    shutil.rmtree(path / ".git")
    git_in(path, "init", "-q")
    git_in(path, "add", "-A")
    git_in(path, "commit", "-q", "-m", "all mine")


def points_git_elsewhere(path: Path) -> None:
    git_in(path.parent.parent, "init", "-q", "elsewhere")
    shutil.rmtree(path / ".git")
    (path / ".git").write_text(f"gitdir: {path.parent.parent}/elsewhere/.git\n")


def makes_git_a_link(path: Path) -> None:
    shutil.rmtree(path / ".git")
    (path / ".git").symlink_to("/nonexistent")


def leaves_an_index_lock(path: Path) -> None:
    (admin(path) / "index.lock").touch()


def corrupts_its_index(path: Path) -> None:
    (admin(path) / "index").write_bytes(b"rubbish")


def corrupts_its_head(path: Path) -> None:
    (admin(path) / "HEAD").write_text("rubbish\n")


def hides_changes(path: Path) -> None:
    git_in(path, "update-index", "--assume-unchanged", "src/one.py")
    git_in(path, "update-index", "--skip-worktree", "src/two.py")


def goes_sparse(path: Path) -> None:
    git_in(path, "sparse-checkout", "set", "src")


def redirects_its_common_dir(path: Path) -> None:
    (admin(path) / "commondir").write_text("/nonexistent\n")


def puts_pipes_in_place_of_git_s_files(path: Path) -> None:
    for name in ("HEAD", "index", "packed-refs"):
        (admin(path) / name).unlink()
        os.mkfifo(admin(path) / name)


def stops_in_a_merge(path: Path) -> None:
    git_in(path, "checkout", "-q", "-b", "side", "HEAD~1")
    (path / "docs").mkdir(exist_ok=True)
    (path / "docs" / "a.md").write_text("side\n")
    git_in(path, "add", "docs/a.md")
    git_in(path, "commit", "-q", "-m", "side")
    subprocess.run(["git", "merge", "main"], cwd=path, check=False, capture_output=True)
    assert "<<<<<<<" in (path / "docs" / "a.md").read_text()


def rebases_into_a_conflict(path: Path, onto: str) -> None:
    subprocess.run(["git", "rebase", onto], cwd=path, check=False, capture_output=True)


MISDEEDS = [
    deletes_its_repository,
    starts_its_own_repository,
    points_git_elsewhere,
    makes_git_a_link,
    leaves_an_index_lock,
    corrupts_its_index,
    corrupts_its_head,
    hides_changes,
    redirects_its_common_dir,
    puts_pipes_in_place_of_git_s_files,
    goes_sparse,
]


@pytest.mark.parametrize("misdeed", MISDEEDS)
async def test_work_is_captured_and_the_next_workspace_is_clean(
    bench: Bench, misdeed: Callable[[Path], None]
) -> None:
    path = await bench.prepare(key_of("a"), writer())
    misdeed(path)
    (path / "src" / "one.py").write_text("one = 100\n")
    (path / "src" / "new.py").write_text("new = 1\n")
    done = await bench.capture(key_of("a"))
    assert done.files == ("src/new.py", "src/one.py")
    following = await bench.prepare(key_of("b"), writer())
    assert following == path
    assert sorted(entry.name for entry in path.iterdir()) == [
        *(".git", ".gitignore", "README.md", "docs", "src"),
    ]
    assert git_in(path, "status", "--porcelain", "--ignored") == ""
    assert git_in(path, "rev-parse", "HEAD") == bench.project.git("rev-parse", "HEAD")
    assert (path / "src" / "one.py").read_text() == "one = 1\n"
    assert len(bench.worktrees()) == 2
    assert await bench.capture(key_of("b")) == Captured(None)


@pytest.mark.parametrize(
    ("misdeed", "said"),
    [
        (deletes_its_repository, "deleted the .git folder of its workspace"),
        (starts_its_own_repository, "put another repository in place of its workspace's own"),
        (points_git_elsewhere, "put another repository in place of its workspace's own"),
        (makes_git_a_link, "put another repository in place of its workspace's own"),
    ],
)
async def test_what_it_did_to_its_git_is_said(
    bench: Bench, misdeed: Callable[[Path], None], said: str
) -> None:
    path = await bench.prepare(key_of(), writer())
    misdeed(path)
    (path / "src" / "one.py").write_text("one = 100\n")
    done = await bench.capture(key_of())
    assert done.oddities == (f"{said}; its files are kept anyway",)
    assert await bench.capture(key_of()) == done  # and the same on the next call


async def test_an_agent_that_behaves_is_said_nothing_of(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    (path / "src" / "one.py").write_text("one = 100\n")
    done = await bench.capture(key_of())
    assert (done.oddities, done.markers, done.own_commits) == ((), (), 0)


async def test_rewritten_history_is_said_and_both_ends_are_kept(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    (path / "src" / "one.py").write_text("one = 2\n")
    git_in(path, "commit", "-q", "-a", "--amend", "-m", "never was anything else")
    tip = git_in(path, "rev-parse", "HEAD")
    done = await bench.capture(key_of())
    assert done.files == ("src/one.py",)
    assert bench.refs() == {"refs/pex/7f3a/task/1": done.work, "refs/pex/7f3a/task/1-head": tip}
    assert [words.partition(":")[0] for words in done.oddities] == [
        "rewrote its history, or moved to another commit"
    ]


async def test_a_branch_that_it_moved_is_said(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    git_in(path, "checkout", "-q", "-b", "feature")
    git_in(path, "commit", "-q", "--allow-empty", "-m", "one")
    git_in(path, "commit", "-q", "--allow-empty", "-m", "two")
    done = await bench.capture(key_of())
    assert done.oddities == ("worked on a branch of its own, feature",)
    assert done.own_commits == 2


async def test_commits_of_the_agent_are_kept_beside_its_work(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    git_in(path, "checkout", "-q", "-b", "feature")
    (path / "src" / "one.py").write_text("one = 2\n")
    git_in(path, "commit", "-q", "-a", "-m", "mine")
    tip = git_in(path, "rev-parse", "HEAD")
    (path / "src" / "one.py").write_text("one = 3\n")
    done = await bench.capture(key_of())
    assert bench.show(done.work, "src/one.py") == "one = 3"
    assert bench.refs() == {"refs/pex/7f3a/task/1": done.work, "refs/pex/7f3a/task/1-head": tip}
    assert bench.project.git("branch", "--list", "feature") == ""


async def test_commits_are_kept_even_when_nothing_changed_in_the_end(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    git_in(path, "commit", "-q", "--allow-empty", "-m", "thoughts")
    tip = git_in(path, "rev-parse", "HEAD")
    assert await bench.capture(key_of()) == Captured(None, own_commits=1)
    assert bench.refs() == {"refs/pex/7f3a/task/1-head": tip}


async def test_a_branch_the_agent_switched_to_is_not_moved_by_the_reset(bench: Bench) -> None:
    bench.project.git("branch", "precious", "HEAD~1")
    path = await bench.prepare(key_of("a"), writer())
    git_in(path, "checkout", "-q", "precious")
    before = bench.project.git("rev-parse", "precious")
    await bench.capture(key_of("a"))
    await bench.prepare(key_of("b"), writer())
    assert bench.project.git("rev-parse", "precious") == before


async def test_ignored_files_that_the_agent_added_on_purpose_are_captured(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    (path / "trace.log").write_text("kept")
    (path / "other.log").write_text("committed")
    (path / "left.log").write_text("left")
    git_in(path, "add", "-f", "trace.log")
    git_in(path, "commit", "-q", "-m", "trace")
    git_in(path, "add", "-f", "other.log")
    assert (await bench.capture(key_of())).files == ("other.log", "trace.log")


async def test_a_merge_half_done_is_captured_markers_and_all(bench: Bench) -> None:
    path = await bench.prepare(key_of("a"), writer())
    stops_in_a_merge(path)
    done = await bench.capture(key_of("a"))
    assert "<<<<<<<" in bench.show(done.work, "docs/a.md")
    assert done.markers == ("docs/a.md",)
    assert [words.partition(";")[0] for words in done.oddities if "half" in words] == [
        "left a merge half done"
    ]
    assert "refs/pex/7f3a/a/1-head" in bench.refs()
    assert await bench.prepare(key_of("b"), writer()) == path
    assert not (admin(path) / "MERGE_HEAD").exists()
    assert git_in(path, "status", "--porcelain") == ""


async def test_a_rebase_half_done_loses_no_commit(bench: Bench) -> None:
    path = await bench.prepare(key_of("a"), writer())
    (path / "README.md").write_text("# Mine\n")
    git_in(path, "commit", "-q", "-a", "-m", "mine")
    mine = git_in(path, "rev-parse", "HEAD")
    git_in(path, "checkout", "-q", "--detach", "HEAD~2")
    (path / "README.md").write_text("# Theirs\n")
    git_in(path, "commit", "-q", "-a", "-m", "theirs")
    onto = git_in(path, "rev-parse", "HEAD")
    git_in(path, "checkout", "-q", "--detach", mine)
    rebases_into_a_conflict(path, onto)
    assert (admin(path) / "rebase-merge").is_dir()
    done = await bench.capture(key_of("a"))
    assert done.markers == ("README.md",)
    assert any(words.startswith("left a rebase half done") for words in done.oddities)
    assert bench.refs()["refs/pex/7f3a/a/1-orig"] == mine
    assert await bench.prepare(key_of("b"), writer()) == path
    assert not (admin(path) / "rebase-merge").exists()


async def test_a_sparse_checkout_deletes_nothing(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    goes_sparse(path)
    assert not (path / "docs").exists()
    assert await bench.capture(key_of()) == Captured(None)


async def test_scaffolds_are_work_and_clones_are_not(bench: Bench) -> None:
    path = await bench.prepare(key_of("a"), writer())
    git_in(path, "init", "-q", "empty/app")
    (path / "empty" / "app" / "main.py").write_text("main\n")
    (path / "empty" / "app" / "trace.log").write_text("ignored\n")
    git_in(path, "init", "-q", "made")
    (path / "made" / "file").write_text("made\n")
    git_in(path / "made", "add", "-A")
    git_in(path / "made", "commit", "-q", "-m", "made")
    git_in(path, "clone", "-q", str(bench.project.path), "cloned")
    git_in(path, "worktree", "add", "-q", "--detach", "tree")
    done = await bench.capture(key_of("a"))
    assert done.files == ("empty/app/main.py", "made/file")
    assert await bench.prepare(key_of("b"), writer()) == path
    assert git_in(path, "status", "--porcelain", "--ignored") == ""


async def test_a_submodule_added_properly_is_one(bench: Bench, tmp_path: Path) -> None:
    git_in(tmp_path, "clone", "-q", str(bench.project.path), "library")
    path = await bench.prepare(key_of("a"), writer())
    git_in(path, "submodule", "--quiet", "add", str(tmp_path / "library"), "lib")
    done = await bench.capture(key_of("a"))
    assert done.files == (".gitmodules", "lib")
    assert bench.project.git("ls-tree", done.work or "", "lib").startswith("160000 commit")
    bench.project.git("update-ref", "refs/heads/with-lib", done.work or "")
    path = await bench.prepare(key_of("b"), writer(), "with-lib")
    git_in(path, "submodule", "--quiet", "update", "--init")
    (path / "lib" / "leftover").write_text("x")
    done = await bench.capture(key_of("b"))
    assert (done.work, [one.why for one in done.unlanded]) == (None, [Why.EDITS])
    path = await bench.prepare(key_of("c"), writer(), "with-lib")
    assert list((path / "lib").iterdir()) == []
    assert git_in(path, "status", "--porcelain") == ""


async def test_a_workspace_that_became_a_link_is_never_followed(bench: Bench) -> None:
    path = await bench.prepare(key_of("a"), writer())
    bench.project.write("src/one.py", "mine = 1\n")
    bench.project.write("mine.txt", "mine")
    shutil.rmtree(path)
    path.symlink_to(bench.project.path)
    with pytest.raises(WorkspaceError, match="is gone"):
        await bench.capture(key_of("a"))
    assert bench.workspaces.path(key_of("a")) is None
    assert await bench.prepare(key_of("a"), writer()) == path
    assert not path.is_symlink()
    assert (bench.project.path / "mine.txt").read_text() == "mine"
    assert (bench.project.path / "src" / "one.py").read_text() == "mine = 1\n"


async def test_a_workspace_that_was_deleted_is_said_and_replaced(bench: Bench) -> None:
    path = await bench.prepare(key_of("a"), writer())
    shutil.rmtree(path)
    with pytest.raises(WorkspaceError, match="is gone"):
        await bench.capture(key_of("a"))
    other = await bench.prepare(key_of("b"), writer())
    assert (other / "README.md").exists()


async def test_folders_made_read_only_are_removed_all_the_same(bench: Bench) -> None:
    path = await bench.prepare(key_of("a"), writer())
    (path / "build" / "deep").mkdir(parents=True)
    (path / "build" / "deep" / "file").write_text("x")
    (path / "build" / "deep").chmod(0o500)
    (path / "src").chmod(0o500)
    await bench.capture(key_of("a"))
    assert await bench.prepare(key_of("b"), writer()) == path
    assert not (path / "build").exists()


async def test_nothing_that_an_agent_plants_runs_in_our_git(bench: Bench, tmp_path: Path) -> None:
    path = await bench.prepare(key_of("a"), writer())
    trap = tmp_path / "trap"
    trap.write_text(f"#!{sys.executable}\nopen({os.fspath(tmp_path / 'sprung')!r}, 'w')\n")
    trap.chmod(0o755)
    git_in(path, "config", "core.fsmonitor", str(trap))
    git_in(path, "config", "core.hooksPath", str(tmp_path))
    for hook in ("post-checkout", "reference-transaction", "post-index-change"):
        shutil.copy2(trap, tmp_path / hook)
    (path / "x").write_text("x")
    await bench.capture(key_of("a"))
    await bench.prepare(key_of("b"), writer())
    assert not (tmp_path / "sprung").exists()
