"""Reconstruct runs from their refs, if the journal does not have them."""

import re
from collections.abc import Collection

from msgspec import Struct

from pex_tui.adapters.git.plumbing.commit_message import rollback_of, trailers_of
from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.adapters.git.plumbing.objects import Commit, read_commits
from pex_tui.adapters.git.plumbing.ref_names import landed_ref, read_refs
from pex_tui.adapters.git.user_repository.landing_history import landings_of
from pex_tui.core.model.ids import CommitId, RunId, TaskId
from pex_tui.core.model.run_refs import BRANCHES, ROOT, UNDO, integration_ref, run_prefix
from pex_tui.engine.run_paths import RunPaths

_MOST_COMMITS = 10_000
_ATTEMPT = re.compile(r"([^/]+)/([0-9]+)(?![0-9])")


class FoundRun(Struct, frozen=True):
    """A run by its refs: its base, last landing, the time of that, and the tasks that landed."""

    run: RunId
    base: CommitId
    tip: CommitId
    tasks: tuple[TaskId, ...]
    landed_at: float


async def find_runs(git: Git, *, besides: Collection[RunId] = ()) -> tuple[FoundRun, ...]:
    """Return the other runs that have landed something, by their refs; raise GitError."""
    listing = await git.text("for-each-ref", "--format=%(refname)", f"{ROOT}/", f"{BRANCHES}/")
    names = {
        line.removeprefix(f"{BRANCHES}/").removeprefix(f"{ROOT}/").partition("/")[0]
        for line in listing.split("\n")
        if line
    }
    names.discard(UNDO.rpartition("/")[2])
    found = [await _find(git, RunId(name)) for name in sorted(names.difference(besides))]
    return tuple(run for run in found if run is not None)


async def _find(git: Git, run: RunId) -> FoundRun | None:
    """Return the run up to our own record of landings, else to the newest landing on its branch."""
    recorded, branch = await read_refs(git, landed_ref(run), integration_ref(run))
    tip = recorded or branch
    if tip is None:
        return None
    listing = await git.text("rev-list", "--first-parent", f"-n{_MOST_COMMITS}", tip)
    commits = await read_commits(git, *listing.split())
    while commits and not _is_of(commits[0], run):  # a commit by somebody else, on top
        commits.pop(0)
    landed = []
    while commits and _is_of(commits[0], run):
        landed.append(commits.pop(0))
    if not landed or not landed[-1].parents:
        return None
    base = landed[-1].parents[0]
    landings = await landings_of(git, run, landed[0].id, base)
    if landings is None:
        return None
    return FoundRun(
        run,
        base,
        landed[0].id,
        tuple(task for _, task in landings),
        float(landed[0].committed_at[0]),
    )


async def find_attempts(git: Git, places: RunPaths, run: RunId) -> dict[TaskId, int]:
    """Return the newest attempt of each task that has a folder or a ref; raise GitError."""
    prefix = run_prefix(run)
    listing = await git.text("for-each-ref", "--format=%(refname)", prefix)
    names = [line.removeprefix(prefix) for line in listing.split("\n") if line]
    names += [f"{folder.parent.name}/{folder.name}" for folder in places.run(run).glob("*/[0-9]*")]
    newest: dict[TaskId, int] = {}
    for name in names:
        attempt = _ATTEMPT.match(name)
        if attempt is not None:
            task = TaskId(attempt[1])
            newest[task] = max(newest.get(task, 0), int(attempt[2]))
    return newest


def _is_of(commit: Commit, run: RunId) -> bool:
    named = trailers_of(commit.message) or rollback_of(commit.message)
    return named is not None and named[0] == run
