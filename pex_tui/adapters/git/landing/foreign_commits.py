"""Name the commits on the user's branch that the run did not make, when the run lands there.

A person may commit while a run is in progress, and so may an agent that finds the way to the user's
checkout. The two cannot be told apart, so both are named to the user.
"""

from pex_tui.adapters.git.plumbing.commit_message import (
    RUN_TRAILER,
    rollback_of,
    subject_of,
    trailers_of,
)
from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.adapters.git.plumbing.objects import Commit, read_commits
from pex_tui.adapters.git.plumbing.ref_names import read_refs, rollback_ref
from pex_tui.core.formatting import counted
from pex_tui.core.model.ids import CommitId, RunId
from pex_tui.core.model.run_refs import run_prefix
from pex_tui.core.sanitize import clean

REPLAYED = "_landing"
"""The name under which replayed commits of a run are kept."""
_MOST_NAMED = 20


async def foreign_commit_lines(
    git: Git,
    run: RunId,
    branch: str,
    *,
    base: CommitId,
    tip: CommitId,
    target: CommitId,
    claiming: bool = False,
) -> tuple[str, ...]:
    """Return the number of new commits on the branch, then each commit as a line, newest first.

    `target` is the tip of the branch, `base` and `tip` are the run's. With `claiming`, only commits
    whose message claims that they are the run's. Raises GitError.
    """
    claims = [f"--grep=^{RUN_TRAILER}: {run}$"] if claiming else []
    beyond = (*claims, target, f"^{base}", f"^{tip}")
    ids = (await git.text("rev-list", *beyond)).split()
    ours = await _replayed(git, run, base, ids)
    strange = [one for one in ids if one not in ours]
    if not strange:
        return ()
    named = await read_commits(git, *strange[:_MOST_NAMED])
    count, more = counted(len(strange), "commit"), len(strange) - len(named)
    head = f"{count} came onto {clean(branch)} since the run began, not by the run itself:"
    rest = (f"and {more} more: `git log {base[:10]}..{target[:10]}`",) if more else ()
    return (head, *(_line(commit) for commit in named), *rest)


async def _replayed(git: Git, run: RunId, base: CommitId, ids: list[str]) -> set[str]:
    """Return the commits that an earlier landing of the run put there, which no message proves."""
    refs = await read_refs(git, f"{run_prefix(run)}{REPLAYED}", rollback_ref(run))
    kept = [ref for ref in refs if ref is not None]
    if not kept:
        return set()
    known = set((await git.text("rev-list", *kept, f"^{base}")).split())
    commits = await read_commits(git, *(one for one in ids if one in known))
    named = {one.id: trailers_of(one.message) or rollback_of(one.message) for one in commits}
    return {commit for commit, name in named.items() if name is not None and name[0] == run}


def _line(commit: Commit) -> str:
    author = commit.author.decode("utf-8", "replace").partition(" <")[0]
    return clean(f"{commit.id[:10]} {subject_of(commit.message)} ({author})")
