"""Git that is killed, objects that are gone, power that is cut."""

import json
import os
import shutil
import signal
from pathlib import Path

import pytest
from msgspec.structs import replace

from pex_tui.adapters.git.plumbing.attributes import Attributes
from pex_tui.adapters.git.plumbing.git_runner import Git, GitError
from pex_tui.adapters.git.plumbing.merge_tree import TreeMerger
from pex_tui.adapters.git.plumbing.objects import read_blobs, read_commits
from pex_tui.adapters.git.plumbing.ref_writer import RefLockedError, update_refs, write_refs
from pex_tui.adapters.git.plumbing.repository import Repository
from pex_tui.core.model.ids import CommitId
from tests.adapters.git.conftest import Project

GONE = "1" * 40


@pytest.fixture
def killed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a git on the PATH that is killed the first time; return the file that says it was."""
    programs, mark = tmp_path / "programs", tmp_path / "killed"
    programs.mkdir()
    script = programs / "git"
    script.write_text(
        f"#!/bin/sh\n[ -e {mark} ] || {{ touch {mark}; kill -9 $$; }}\n"
        f'exec {shutil.which("git")} "$@"\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return mark


async def test_a_question_to_a_git_that_was_killed_is_asked_again(
    project: Project, repository: Repository, killed_once: Path
) -> None:
    head = project.git("log", "--format=%H", "-1", env={"PATH": os.defpath})
    assert await repository.git.text("rev-parse", "HEAD") == head
    assert killed_once.exists()


async def test_a_change_by_a_git_that_was_killed_is_not_made_again(
    repository: Repository, killed_once: Path
) -> None:
    with pytest.raises(GitError, match="was killed by signal 9") as failed:
        await repository.git.run("update-ref", "refs/heads/other", "HEAD")
    assert failed.value.status == -signal.SIGKILL
    assert killed_once.exists()


async def test_objects_that_are_gone_are_git_errors(repository: Repository, tmp_path: Path) -> None:
    git: Git = repository.git
    head = await git.text("rev-parse", "HEAD")
    with pytest.raises(GitError, match="has no 1111"):
        await read_blobs(git, [GONE])
    with pytest.raises(GitError, match="has no 1111"):
        await read_commits(git, head, GONE)
    (commit,) = await read_commits(git, head)
    merger = TreeMerger(git, Attributes(git, tmp_path / "attributes"))
    with pytest.raises(GitError, match="not something we can merge"):
        await merger.join(commit, replace(commit, id=CommitId(GONE)))


async def test_objects_are_on_disk_before_a_ref_names_them(
    repository: Repository, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    env = {"GIT_TRACE2_EVENT": str(trace)}
    await repository.git.run("hash-object", "-w", "--stdin", stdin=b"new\n", env=env)
    flushed = [
        json.loads(line)["value"] for line in trace.read_text().splitlines() if "hardware-f" in line
    ]
    assert [int(count) >= 1 for count in flushed] == [True]


@pytest.mark.parametrize("content", ["ours", ""])
async def test_a_ref_that_a_killed_git_left_locked_is_written(
    project: Project, repository: Repository, content: str
) -> None:
    """A killed git leaves the commit in the lock, or an empty one, which counts once it is old."""
    head = CommitId(project.git("rev-parse", "HEAD"))
    lock = project.path / ".git" / "refs" / "pex" / "r1" / "a" / "1.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text(f"{head}\n" if content else "")
    if not content:
        os.utime(lock, (1.0, 1.0))
    await write_refs(repository.git, {"refs/pex/r1/a/1": head})
    assert project.git("rev-parse", "refs/pex/r1/a/1") == head
    assert not lock.exists()


async def test_a_ref_that_somebody_may_hold_is_left_alone(
    project: Project, repository: Repository
) -> None:
    head = project.git("rev-parse", "HEAD")
    project.git("update-ref", "refs/pex/r1/a/1", head)
    lock = project.path / ".git" / "refs" / "pex" / "r1" / "a" / "1.lock"
    lock.touch()
    with pytest.raises(RefLockedError) as locked:
        await update_refs(repository.git, f"delete refs/pex/r1/a/1 {head}\n", patience_seconds=0.0)
    assert locked.value.lock == lock
    assert lock.exists()
