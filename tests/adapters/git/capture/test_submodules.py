"""Commits that exist only in a worktree's submodule are noticed before the worktree is removed."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from pex_tui.adapters.git.capture.submodules import unpushed_submodules
from pex_tui.adapters.git.plumbing.filesystem import remove_tree
from pex_tui.core.model.unlanded import Why
from tests.adapters.git.conftest import Bench, git_in, key_of, writer


def git(folder: Path, *args: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(["git", "-C", str(folder), *identity, *args], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A clone whose git directory is where that of a submodule would be."""
    upstream = tmp_path / "upstream"
    upstream.mkdir()
    git(upstream, "init", "--quiet")
    git(upstream, "commit", "--quiet", "--allow-empty", "-m", "one")
    place = tmp_path / "worktree"
    modules = tmp_path / "gitdir" / "modules" / "libs"
    modules.mkdir(parents=True)
    separate = f"--separate-git-dir={modules / 'sub'}"
    git(tmp_path, "clone", "--quiet", separate, str(upstream), str(place))
    return place


async def test_a_submodule_as_its_remote_has_it_is_no_loss(checkout: Path) -> None:
    assert await unpushed_submodules(checkout.parent / "gitdir") == ()


@pytest.mark.parametrize("how", ["branch", "detached"])
async def test_commits_of_its_own_are_named_by_the_submodule(checkout: Path, how: str) -> None:
    if how == "detached":
        git(checkout, "checkout", "--quiet", "--detach")
    git(checkout, "commit", "--quiet", "--allow-empty", "-m", "precious")

    assert await unpushed_submodules(checkout.parent / "gitdir") == ("libs/sub",)


async def test_without_submodules_there_is_nothing_to_lose(tmp_path: Path) -> None:
    assert await unpushed_submodules(tmp_path) == ()


@dataclass(frozen=True, slots=True)
class Superproject:
    """A bench whose project has the submodule `sub`, and `libs/deep` in that."""

    bench: Bench

    async def begin(self) -> Path:
        """Prepare the attempt's workspace, all submodules checked out in it."""
        path = await self.bench.prepare(key_of(), writer())
        git_in(path, "submodule", "update", "--quiet", "--init", "--recursive")
        return path

    def store(self, name: str, *args: str) -> str:
        """Run git in the user's repository of a submodule."""
        return self.bench.project.git(f"--git-dir=.git/modules/{name}", *args)


@pytest.fixture
async def superproject(bench: Bench, tmp_path: Path) -> Superproject:
    for name in ("deep", "upstream"):
        (tmp_path / name).mkdir()
        git_in(tmp_path / name, "init", "-q")
        (tmp_path / name / "a.txt").write_text("a\n")
        git_in(tmp_path / name, "add", "-A")
        git_in(tmp_path / name, "commit", "-q", "-m", "one")
    git_in(
        tmp_path / "upstream", "submodule", "--quiet", "add", str(tmp_path / "deep"), "libs/deep"
    )
    git_in(tmp_path / "upstream", "commit", "-q", "-m", "with a submodule")
    bench.project.git("submodule", "--quiet", "add", str(tmp_path / "upstream"), "sub")
    bench.project.commit({})
    return Superproject(bench)


async def test_a_submodule_that_nobody_touched_is_nothing_to_name(
    superproject: Superproject,
) -> None:
    await superproject.begin()
    assert (await superproject.bench.capture(key_of())).unlanded == ()


async def test_edits_in_a_submodule_are_kept_in_the_users_repository_of_it(
    superproject: Superproject,
) -> None:
    path = await superproject.begin()
    (path / "sub" / "a.txt").write_text("edited\n")
    (path / "sub" / "new.txt").write_text("new\n")
    git_in(path / "sub", "config", "filter.x.clean", "touch planted; cat")
    (path / "sub" / ".gitattributes").write_text("* filter=x\n")
    done = await superproject.bench.capture(key_of())
    ref = "refs/pex/7f3a/task/1-edits"
    (found,) = done.unlanded
    assert done.work is None
    assert (found.why, found.paths) == (Why.EDITS, ("sub/",))
    assert found.kept.startswith(f"{ref} in ")
    assert superproject.store("sub", "show", f"{ref}:a.txt") == "edited"
    assert superproject.store("sub", "show", f"{ref}:new.txt") == "new"
    assert not (path / "sub" / "planted").exists()


async def test_a_commit_in_a_submodule_resolves_once_its_pointer_has_landed(
    superproject: Superproject,
) -> None:
    path = await superproject.begin()
    (path / "sub" / "a.txt").write_text("edited\n")
    git_in(path / "sub", "commit", "-q", "-a", "-m", "mine")
    made = git_in(path / "sub", "rev-parse", "HEAD")
    done = await superproject.bench.capture(key_of())
    assert done.files == ("sub",)
    assert [one.why for one in done.unlanded] == [Why.COMMITS]
    assert superproject.store("sub", "rev-parse", "refs/pex/7f3a/task/1") == made
    superproject.bench.project.git("merge", "-q", "--ff-only", done.work or "")
    superproject.bench.project.git("submodule", "update", "--quiet", "sub")
    assert (superproject.bench.project.path / "sub" / "a.txt").read_text() == "edited\n"


async def test_a_submodule_that_the_user_never_checked_out_gets_a_repository(
    superproject: Superproject,
) -> None:
    project = superproject.bench.project
    project.git("submodule", "--quiet", "deinit", "-f", "sub")
    remove_tree(project.path / ".git" / "modules" / "sub")
    path = await superproject.begin()
    git_in(path / "sub", "commit", "-q", "--allow-empty", "-m", "mine")
    done = await superproject.bench.capture(key_of())
    project.git("merge", "-q", "--ff-only", done.work or "")
    project.git("submodule", "update", "--quiet", "--init", "sub")
    assert git_in(project.path / "sub", "log", "-1", "--format=%s") == "mine"


async def test_work_in_a_submodule_of_a_submodule_and_on_other_branches_is_kept(
    superproject: Superproject,
) -> None:
    path = await superproject.begin()
    deep = path / "sub" / "libs" / "deep"
    (deep / "a.txt").write_text("deep\n")
    git_in(path / "sub", "checkout", "-q", "-b", "side")
    git_in(path / "sub", "commit", "-q", "--allow-empty", "-m", "side")
    git_in(path / "sub", "checkout", "-q", "--detach", "HEAD~1")
    done = await superproject.bench.capture(key_of())
    assert [(one.why, one.paths) for one in done.unlanded] == [
        (Why.COMMITS, ("sub/",)),
        (Why.EDITS, ("sub/libs/deep/",)),
    ]
    kept = superproject.store("sub", "for-each-ref", "--format=%(subject)", "refs/pex")
    assert kept == "side"
    edits = "refs/pex/7f3a/task/1-edits:a.txt"
    assert superproject.store("sub/modules/libs/deep", "show", edits) == "deep"
