"""The user's repository: found, checked, described."""

import os
from pathlib import Path

import pytest

from pex_tui.adapters.git.plumbing.repository import Repository, RepositoryError, discover
from pex_tui.adapters.git.user_repository.repository_notices import repository_notices
from pex_tui.adapters.git.user_repository.state_directory import state_directory
from tests.adapters.git.conftest import Project, git_in


async def test_a_repository_is_found_from_a_folder_below(project: Project) -> None:
    found = await discover(project.path / "src")
    assert found == Repository(project.path, project.path / ".git", project.path / ".git")
    assert found.name == "my project"


async def test_a_linked_worktree_shares_the_state_directory(
    project: Project, repository: Repository, tmp_path: Path
) -> None:
    project.git("worktree", "add", "-q", str(tmp_path / "other"))
    other = await discover(tmp_path / "other")
    assert other.top_level == tmp_path / "other"
    assert other.common_dir == repository.common_dir
    assert state_directory(other) == state_directory(repository)


@pytest.mark.parametrize("name", ["line\nbreak", "trailing\n", os.fsdecode(b"not-\xff-utf8")])
async def test_odd_paths_are_found(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    git_in(folder, "init", "-q")
    found = await discover(folder)
    assert found.top_level == folder
    with pytest.raises(RepositoryError, match="has no commit yet") as refused:
        await found.head()
    assert "\n" not in refused.value.message
    assert refused.value.message.encode()
    assert state_directory(found).is_dir()


async def test_a_folder_outside_any_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="not in a git repository"):
        await discover(tmp_path)


async def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="no such folder"):
        await discover(tmp_path / "nowhere")


async def test_a_bare_repository_is_refused(tmp_path: Path) -> None:
    git_in(tmp_path, "init", "-q", "--bare", "bare.git")
    with pytest.raises(RepositoryError, match="bare repository"):
        await discover(tmp_path / "bare.git")


async def test_the_git_folder_itself_is_refused(project: Project) -> None:
    with pytest.raises(RepositoryError, match=r"inside a \.git folder"):
        await discover(project.path / ".git")


async def test_a_missing_git_is_named(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(RepositoryError, match="git was not found"):
        await discover(project.path)


async def test_an_old_git_is_refused(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "bin" / "git"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho git version 2.38.1\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{old.parent}:{os.environ['PATH']}")
    with pytest.raises(RepositoryError, match=r"git 2\.38\.1 is too old"):
        await discover(project.path)


async def test_another_user_s_repository_is_explained(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(RepositoryError, match=r"safe\.directory"):
        await discover(project.path)


async def test_a_git_dir_in_the_environment_misleads_nothing(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    assert (await discover(project.path)).top_level == project.path


async def test_head_branch_and_base_are_resolved(project: Project, repository: Repository) -> None:
    tip = project.git("rev-parse", "HEAD")
    assert await repository.head() == tip
    assert await repository.resolve_commit(None) == tip
    assert await repository.resolve_commit("main") == tip
    assert await repository.resolve_commit("HEAD~1") == project.git("rev-parse", "HEAD~1")
    assert await repository.current_branch() == "main"
    project.git("checkout", "-q", "--detach")
    assert await repository.current_branch() is None


@pytest.mark.parametrize("base", ["nowhere", "--all", "HEAD:README.md", ""])
async def test_a_base_that_is_no_commit_is_refused(repository: Repository, base: str) -> None:
    with pytest.raises(RepositoryError, match="names no commit"):
        await repository.resolve_commit(base)


async def test_the_identity_is_git_s(repository: Repository) -> None:
    identity = await repository.check_identity()
    assert identity.author_name == "Ada Lovelace"
    assert identity.environment["GIT_COMMITTER_EMAIL"] == "ada@example.org"


async def test_a_missing_identity_says_how_to_set_it(
    project: Project, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    with pytest.raises(RepositoryError, match=r"git config --global user\.name"):
        await repository.check_identity()
    project.git("config", "user.name", "Here Only")
    with pytest.raises(RepositoryError):
        await repository.check_identity()
    project.git("config", "user.email", "here@example.org")
    assert (await repository.check_identity()).author_name == "Here Only"


async def test_dirt_is_counted(project: Project, repository: Repository) -> None:
    clean = await repository.dirty()
    assert not clean
    assert clean.summary == ""
    project.write("src/one.py", "one = 11\n")
    project.write("new/a")
    project.write("new/b")
    project.write("x.log", "ignored")
    dirt = await repository.dirty()
    assert dirt.tracked == ("src/one.py",)
    assert dirt.untracked == 1
    assert dirt.summary == "1 changed file, 1 untracked"


async def test_a_plain_repository_has_no_notices(repository: Repository) -> None:
    assert await repository_notices(repository) == ()


async def test_lfs_submodules_and_hooks_are_said(project: Project, repository: Repository) -> None:
    hooks = project.path / ".githooks"
    project.write(".githooks/pre-commit", "#!/bin/sh\n").chmod(0o755)
    project.commit(
        {
            "assets/.gitattributes": "*.png filter=lfs diff=lfs merge=lfs -text\n",
            ".gitmodules": '[submodule "lib"]\n\tpath = lib\n\turl = ../lib\n',
        }
    )
    project.git("config", "core.hooksPath", ".githooks")
    told = await repository_notices(repository)
    assert hooks.is_dir()
    assert [("LFS" in text, "submodules" in text, "hooks" in text) for text in told] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ]


async def test_the_state_directory_lies_where_xdg_says(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "x"))
    folder = state_directory(repository)
    assert folder.parent == tmp_path / "x" / "pex-tui"
    assert folder.name.startswith("my-project-")
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert state_directory(repository).is_relative_to(tmp_path / "home" / ".local" / "state")


async def test_an_unusable_state_directory_is_one_clear_message(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(RepositoryError, match="can't be used: Not a directory") as refused:
        state_directory(repository)
    assert refused.value.exit_code == 2
