"""State directories of repositories that move, are copied, or take another's place."""

import os
import shutil
from pathlib import Path

import pytest

from pex_tui.adapters.git.plumbing.repository import discover
from pex_tui.adapters.git.user_repository.state_directory import state_directory
from pex_tui.adapters.git.user_repository.state_owner import IDENTITY, OWNER
from pex_tui.adapters.storage.journal import SqliteJournal
from pex_tui.core.events.run_events import RunPlanned
from pex_tui.core.model.ids import CommitId, RunId, TaskId
from pex_tui.core.model.plan import Plan, TaskSpec
from pex_tui.core.model.run_rules import RunRules
from tests.adapters.git.conftest import Project, git_in


async def directory(place: Path) -> Path:
    return state_directory(await discover(place))


async def runs_in(project: Project) -> Path:
    """Return the project's state directory, with a run in its journal and that run's ref."""
    folder = await directory(project.path)
    base = CommitId(project.git("rev-parse", "HEAD"))
    plan = Plan((TaskSpec(TaskId("a"), ("true",)),))
    journal = SqliteJournal(folder / "journal.db")
    planned = RunPlanned(RunId("7f3a"), plan, RunRules(), base, "pex/7f3a", "main", seed=1, at=1.0)
    await journal.append(planned.run, [(1, planned)])
    await journal.close()
    project.git("update-ref", "refs/pex/7f3a/a/1", base)
    return folder


def as_0_1_left_it(project: Project, folder: Path) -> None:
    """Remove what version 0.1 did not write."""
    (project.path / ".git" / IDENTITY).unlink()
    (folder / OWNER).unlink()


def new_repository(place: Path) -> None:
    place.mkdir()
    git_in(place, "init", "-q")


@pytest.mark.parametrize("first", ["moved", "new"])
async def test_a_moved_repository_keeps_its_runs_and_the_one_in_its_place_has_none(
    project: Project, tmp_path: Path, first: str
) -> None:
    folder = await runs_in(project)
    moved = tmp_path / "moved"
    project.path.rename(moved)
    new_repository(project.path)
    if first == "moved":
        assert await directory(moved) == folder
    fresh = await directory(project.path)
    assert fresh != folder
    assert not (fresh / "journal.db").exists()
    assert fresh.name.startswith("my-project-")
    assert await directory(moved) == folder
    assert await directory(project.path) == fresh


async def test_a_clone_in_the_place_of_a_removed_repository_has_runs_of_its_own(
    project: Project, tmp_path: Path
) -> None:
    folder = await runs_in(project)
    git_in(tmp_path, "clone", "-q", "--bare", str(project.path), "origin.git")
    shutil.rmtree(project.path)
    git_in(tmp_path, "clone", "-q", "origin.git", str(project.path))
    assert await directory(project.path) != folder


async def test_a_copy_has_runs_of_its_own_whichever_is_asked_first(
    project: Project, tmp_path: Path
) -> None:
    folder = await runs_in(project)
    copy = tmp_path / "copy"
    shutil.copytree(project.path, copy, symlinks=True)
    other = await directory(copy)
    assert other != folder
    assert await directory(project.path) == folder
    assert await directory(copy) == other


async def test_a_repository_that_is_seen_under_two_paths_is_one(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = await runs_in(project)
    (tmp_path / "mounted").symlink_to(project.path)  # like a bind mount: its path is not a link
    monkeypatch.setattr(Path, "resolve", lambda path, **_: path)
    seen = await discover(project.path)
    mounted = type(seen)(*(tmp_path / "mounted" / end for end in ("", ".git", ".git")))
    assert state_directory(mounted) == folder


async def test_an_id_that_an_agent_removed_or_rewrote_hides_no_run(project: Project) -> None:
    folder = await runs_in(project)
    mark = project.path / ".git" / IDENTITY
    before = mark.read_text()
    for broken in ("0" * 32, "nonsense", None):
        if broken is None:
            mark.unlink()
        else:
            mark.write_text(broken)
        assert await directory(project.path) == folder
        assert mark.read_text() == before


async def test_two_state_homes_take_turns_without_losing_each_other(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = await runs_in(project)
    before = os.environ["XDG_STATE_HOME"]
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "other"))
    other = await directory(project.path)
    monkeypatch.setenv("XDG_STATE_HOME", before)
    assert await directory(project.path) == folder
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "other"))
    assert await directory(project.path) == other


async def test_directories_of_0_1_are_found_by_path_and_by_their_workspaces(
    project: Project, tmp_path: Path
) -> None:
    folder = await runs_in(project)
    as_0_1_left_it(project, folder)
    assert await directory(project.path) == folder
    as_0_1_left_it(project, folder)
    project.git("worktree", "add", "-q", "--detach", str(folder / "pool" / "1"))
    moved = tmp_path / "moved"
    project.path.rename(moved)
    new_repository(project.path)
    assert await directory(project.path) != folder
    assert await directory(moved) == folder


async def test_a_repository_that_may_not_be_written_is_known_by_its_path(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "pex_tui.adapters.git.user_repository.state_directory.write_identity", lambda *_: False
    )
    folder = await runs_in(project)
    assert not (project.path / ".git" / IDENTITY).exists()
    assert await directory(project.path) == folder
