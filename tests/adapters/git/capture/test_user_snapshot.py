"""The user's uncommitted work as a commit, with the checkout untouched."""

from pathlib import Path

import pytest

from pex_tui.adapters.git.capture.user_snapshot import snapshot_uncommitted
from pex_tui.adapters.git.plumbing.ref_names import uncommitted_ref
from pex_tui.adapters.git.plumbing.repository import Repository, RepositoryError, discover
from tests.adapters.git.conftest import RUN, Project

REF = uncommitted_ref(RUN)


async def test_a_clean_checkout_is_its_head(project: Project, repository: Repository) -> None:
    assert await snapshot_uncommitted(repository, REF) == project.git("rev-parse", "HEAD")
    assert project.git("for-each-ref", "refs/pex") == ""


async def test_staged_changed_removed_and_untracked_work_is_in(
    project: Project, repository: Repository
) -> None:
    project.write("staged.txt", "staged")
    project.git("add", "staged.txt")
    project.write("src/one.py", "one = 5\n")
    (project.path / "src" / "two.py").unlink()
    project.write("new file\n.txt", "new")
    project.write("trace.log", "ignored")
    project.git("update-index", "--split-index")
    index = (project.path / ".git" / "index").read_bytes()
    status = project.git("status", "--porcelain", "-z")
    commit = await snapshot_uncommitted(repository, REF)
    assert project.git("rev-parse", REF, f"{commit}^") == (
        f"{commit}\n{project.git('rev-parse', 'HEAD')}"
    )
    names = project.git("ls-tree", "-r", "-z", "--name-only", commit).split("\0")[:-1]
    expected = [".gitignore", "README.md", "docs/a.md", "new file\n.txt", "src/one.py"]
    assert names == [*expected, "staged.txt"]
    assert project.git("show", f"{commit}:src/one.py") == "one = 5"
    assert (project.path / ".git" / "index").read_bytes() == index
    assert project.git("status", "--porcelain", "-z") == status


async def test_an_unfinished_merge_is_taken_as_it_stands(
    project: Project, repository: Repository
) -> None:
    project.git("checkout", "-q", "-b", "side", "HEAD~1")
    project.commit({"src/one.py": "side\n"})
    project.git("checkout", "-q", "main")
    with pytest.raises(Exception, match="merge"):
        project.git("merge", "side")
    status = project.git("status", "--porcelain")
    commit = await snapshot_uncommitted(repository, REF)
    assert "<<<<<<<" in project.git("show", f"{commit}:src/one.py")
    assert project.git("status", "--porcelain") == status == "AA src/one.py"


async def test_a_sparse_checkout_stays_whole(project: Project, repository: Repository) -> None:
    project.git("sparse-checkout", "set", "src")
    project.write("src/one.py", "one = 5\n")
    commit = await snapshot_uncommitted(repository, REF)
    assert project.git("diff-tree", "-r", "--name-only", "HEAD", commit) == "src/one.py"


async def test_a_linked_worktree_has_its_own_uncommitted_work(
    project: Project, tmp_path: Path
) -> None:
    project.write("elsewhere", "x")
    project.git("worktree", "add", "-q", "--detach", str(tmp_path / "other"), "HEAD~1")
    (tmp_path / "other" / "only-here").touch()
    commit = await snapshot_uncommitted(await discover(tmp_path / "other"), REF)
    assert project.git("diff-tree", "-r", "--name-only", "HEAD~1", commit) == "only-here"


async def test_without_a_name_it_is_refused(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    with pytest.raises(RepositoryError, match="does not know who you are"):
        await snapshot_uncommitted(repository, REF)
