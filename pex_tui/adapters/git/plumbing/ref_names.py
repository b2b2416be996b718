"""The refs that keep a run's work, whatever becomes of branches and workspaces."""

import re
from collections.abc import Mapping

from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.core.model.ids import CommitId, RunId
from pex_tui.core.model.run_refs import BRANCHES, ROOT, attempt_ref, own_commits_ref, run_prefix
from pex_tui.engine.attempt import AttemptKey


def work_ref(key: AttemptKey) -> str:
    """What the attempt changed, as one commit on its start commit."""
    return attempt_ref(key.run, key.task, key.attempt)


def head_ref(key: AttemptKey) -> str:
    """The commits that the agent made itself."""
    return own_commits_ref(key.run, key.task, key.attempt)


def interrupted_ref(key: AttemptKey) -> str:
    """Where the agent stood before a rebase that it left half done."""
    return f"{work_ref(key)}-orig"


def stash_ref(key: AttemptKey, number: int) -> str:
    """A stash that the agent made and left; the newest is number 1."""
    return f"{work_ref(key)}-stash/{number}"


def left_ref(key: AttemptKey, branch: str, commit: CommitId) -> str:
    """Commits that the agent left on a branch, or on none (then `branch` is the commit's id)."""
    is_plain = re.fullmatch(r"[A-Za-z0-9_]+([./-][A-Za-z0-9_]+)*", branch)
    is_taken = branch.endswith(".lock") or ".lock/" in branch
    return f"{work_ref(key)}-left/{branch if is_plain and not is_taken else commit[:10]}"


def rescue_ref(key: AttemptKey) -> str:
    """Work found where none should be: in a shared checkout, or in a workspace to be removed."""
    return f"{work_ref(key)}-rescued"


def saved_ref(run: RunId, ref: str, commit: str) -> str:
    """What a ref of the user's named before somebody moved or deleted it while the run went on."""
    return f"{run_prefix(run)}_saved/{ref.removeprefix('refs/')}-{commit[:10]}"


def uncommitted_ref(run: RunId) -> str:
    """The user's uncommitted work that the run started from."""
    return f"{run_prefix(run)}_uncommitted"


def landed_ref(run: RunId) -> str:
    """Our own record of what has landed on the integration branch, which others may move."""
    return f"{run_prefix(run)}_landed"


def found_ref(run: RunId, commit: CommitId) -> str:
    """What somebody else put on the integration branch."""
    return f"{run_prefix(run)}_found-{commit[:12]}"


async def read_ref(git: Git, ref: str) -> CommitId | None:
    """The commit that a full ref names, None when there is no such ref."""
    answer = await git.run("rev-parse", "-q", "--verify", f"{ref}^{{commit}}", ok=(0, 1, 128))
    return CommitId(answer.text) if answer.status == 0 else None


async def landing_commits(git: Git) -> set[str]:
    """The commits that a landing may bring a branch of the user's to; raise GitError."""
    places = (BRANCHES, f"{ROOT}/*/_landing", f"{ROOT}/*/*/landing")
    return set((await git.text("for-each-ref", "--format=%(objectname)", *places)).split())


async def write_refs(git: Git, refs: Mapping[str, CommitId]) -> None:
    """Set all of the refs or none; raise GitError."""
    lines = "".join(f"update {ref} {commit}\n" for ref, commit in refs.items())
    await git.run("update-ref", "--stdin", stdin=lines.encode())
