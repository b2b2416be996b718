"""Repositories of any layout; unsupported features are reported before a run starts."""

import os
import shutil
from pathlib import Path

import pytest

from pex_tui.adapters.git.plumbing import git_runner as cli
from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.adapters.git.plumbing.repository import RepositoryError, discover
from pex_tui.adapters.git.user_repository.checked_out_branches import checkouts
from pex_tui.adapters.git.user_repository.promised_files import fetch_promised
from pex_tui.adapters.git.user_repository.repository_notices import repository_notices
from pex_tui.adapters.git.user_repository.user_checkout import UserCheckout
from pex_tui.core.model.ids import CommitId
from pex_tui.engine.ports import LandingError
from tests.adapters.git.conftest import Bench, Project, git_in, key_of, writer

TWO_DAYS = 2 * 86400


async def test_a_bare_repository_has_no_main_work_tree(project: Project, tmp_path: Path) -> None:
    root = tmp_path / "layout"
    root.mkdir()
    git_in(root, "clone", "-q", "--bare", str(project.path), ".bare")
    (root / ".git").write_text("gitdir: ./.bare\n")
    git_in(root, "worktree", "add", "-q", "main")
    found = await discover(root / "main")
    (only,) = await checkouts(found.git)
    assert (only.path, only.branch, only.is_main) == (root / "main", "refs/heads/main", False)
    (main,) = await checkouts((await discover(project.path)).git)
    assert main.is_main


async def test_without_git_lfs_its_files_are_pointers(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "git-lfs" else which(name))
    monkeypatch.setattr(cli, "_settings", cli._settings.__wrapped__)
    bench.project.commit({".gitattributes": "*.bin filter=lfs\n", "x.bin": "a pointer\n"})
    for name in ("clean", "smudge", "process"):
        bench.project.git("config", f"filter.lfs.{name}", "git-lfs-is-not-here")
    bench.project.git("config", "filter.lfs.required", "true")
    path = await bench.prepare(key_of(), writer())
    assert (path / "x.bin").read_text() == "a pointer\n"
    (path / "y.bin").write_text("new\n")
    assert (await bench.capture(key_of())).files == ("y.bin",)


async def test_a_partial_clone_has_all_files_of_the_base_or_is_refused(
    project: Project, tmp_path: Path
) -> None:
    project.git("config", "uploadpack.allowFilter", "true")
    project.git("config", "uploadpack.allowAnySHA1InWant", "true")
    for name in ("online", "offline"):
        command = ("clone", "-q", "--no-checkout", "--filter=blob:none")
        git_in(tmp_path, *command, f"file://{project.path}", name)
    head = CommitId(project.git("rev-parse", "HEAD"))
    online = await discover(tmp_path / "online")
    await fetch_promised(online, head)
    project.path.rename(tmp_path / "gone")
    await fetch_promised(online, head)
    offline = await discover(tmp_path / "offline")
    with pytest.raises(RepositoryError, match=r"5 files of .* are still with the remote origin"):
        await fetch_promised(offline, head)


@pytest.mark.parametrize("age", [0, TWO_DAYS])
async def test_a_lock_of_a_dead_git_is_removed_and_a_young_one_is_one_clear_line(
    project: Project, age: int
) -> None:
    old = CommitId(project.git("rev-parse", "HEAD"))
    new = CommitId(project.git("commit-tree", f"{old}^{{tree}}", "-p", old, "-m", "next"))
    lock = project.write(".git/index.lock")
    then = lock.stat().st_mtime - age
    os.utime(lock, (then, then))
    checkout = UserCheckout(Git(project.path / ".git", project.path), project.path, "land again")
    with (project.path / ".git" / "landing").open("w") as landing:
        if age:
            await checkout.fast_forward(old, new, landing.fileno())
            assert project.git("rev-parse", "HEAD") == new
            return
        with pytest.raises(LandingError) as caught:
            await checkout.fast_forward(old, new, landing.fileno())
    assert str(caught.value).endswith(
        "index.lock was made just now, perhaps by a git at work. "
        "Wait until it is gone, then land again."
    )


async def test_what_a_user_has_set_and_a_run_does_not_do_is_said(project: Project) -> None:
    found = await discover(project.path)
    assert await repository_notices(found) == ()
    project.git("config", "commit.gpgsign", "true")
    project.git("config", "core.sparseCheckout", "true")
    sparse, signing = await repository_notices(found)
    assert sparse.startswith("Your checkout is sparse, but its patterns")
    assert "are not signed" in signing
    project.git("sparse-checkout", "set", "src")
    assert await repository_notices(found) == (signing,)
