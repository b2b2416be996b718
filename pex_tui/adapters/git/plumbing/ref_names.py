"""Names of the refs that keep a run's work when branches and workspaces are gone."""

import os
import re
from pathlib import Path

from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.core.model.ids import CommitId, RunId
from pex_tui.core.model.run_refs import BRANCHES, ROOT, attempt_ref, own_commits_ref, run_prefix
from pex_tui.engine.attempt import AttemptKey

_OBJECT_ID = re.compile(r"[0-9a-f]{40,64}")


def work_ref(key: AttemptKey) -> str:
    """Return the ref of the attempt's changes, as one commit on its start commit."""
    return attempt_ref(key.run, key.task, key.attempt)


def head_ref(key: AttemptKey) -> str:
    """Return the ref of the commits that the agent made itself."""
    return own_commits_ref(key.run, key.task, key.attempt)


def interrupted_ref(key: AttemptKey) -> str:
    """Return the ref of the commit before an unfinished rebase of the agent."""
    return f"{work_ref(key)}-orig"


def stash_ref(key: AttemptKey, number: int) -> str:
    """Return the ref of a stash that the agent left; the newest is number 1."""
    return f"{work_ref(key)}-stash/{number}"


def left_ref(key: AttemptKey, branch: str, commit: CommitId) -> str:
    """Return the ref of commits left on a branch, or on none (`branch` is then the commit's id)."""
    is_plain = re.fullmatch(r"[A-Za-z0-9_]+([./-][A-Za-z0-9_]+)*", branch)
    is_taken = branch.endswith(".lock") or ".lock/" in branch
    return f"{work_ref(key)}-left/{branch if is_plain and not is_taken else commit[:10]}"


def rescue_ref(key: AttemptKey) -> str:
    """Return the ref of work in a place that should have none: a shared or discarded checkout."""
    return f"{work_ref(key)}-rescued"


def saved_ref(run: RunId, ref: str, commit: str) -> str:
    """Return the ref of what a user's ref named before it was moved or deleted during the run."""
    return f"{run_prefix(run)}_saved/{ref.removeprefix('refs/')}-{commit[:10]}"


def uncommitted_ref(run: RunId) -> str:
    """Return the ref of the user's uncommitted work that the run started from."""
    return f"{run_prefix(run)}_uncommitted"


def landed_ref(run: RunId) -> str:
    """Return the ref of our own record of landings: others may move the integration branch."""
    return f"{run_prefix(run)}_landed"


def found_ref(run: RunId, commit: CommitId) -> str:
    """Return the ref of a commit that somebody else put on the integration branch."""
    return f"{run_prefix(run)}_found-{commit[:12]}"


def rollback_ref(run: RunId) -> str:
    """Return the ref of the commits by which a rollback moves the user's branch."""
    return f"{run_prefix(run)}_rollback"


def is_at(git: Git, ref: str, commit: CommitId) -> bool:
    """Return whether the ref is known to be at the commit without asking git, by its own file.

    False says nothing: the ref may be packed, or kept in another format.
    """
    common = Path(git.env.get("GIT_COMMON_DIR") or git.git_dir)
    try:
        return (common / ref).read_text("ascii") == f"{commit}\n"
    except (OSError, ValueError):
        return False


async def read_ref(git: Git, ref: str) -> CommitId | None:
    """Return the commit that a full ref names, None if there is no such ref."""
    (commit,) = await read_refs(git, ref)
    return commit


async def read_refs(git: Git, *refs: str) -> list[CommitId | None]:
    """Return the commit that each full ref names, with one git for all of them.

    A ref that does not exist, or whose commit is missing or damaged, reads as None.
    """
    asked = "".join(f"{ref}^{{commit}}\n" for ref in refs)
    answer = await git.run(
        "cat-file", "--batch-check=%(objectname)", stdin=asked.encode(), ok=(0, 128)
    )
    if answer.status == 0:
        lines = os.fsdecode(answer.stdout).splitlines()
        return [CommitId(line) if _OBJECT_ID.fullmatch(line) else None for line in lines]
    if len(refs) == 1:
        return [None]
    return [await read_ref(git, ref) for ref in refs]  # git ends at the first damaged object


async def landing_commits(git: Git) -> set[str]:
    """Return the commits that a landing may bring a user's branch to; raise GitError."""
    places = (BRANCHES, f"{ROOT}/*/_landing", f"{ROOT}/*/_rollback", f"{ROOT}/*/*/landing")
    return set((await git.text("for-each-ref", "--format=%(objectname)", *places)).split())
