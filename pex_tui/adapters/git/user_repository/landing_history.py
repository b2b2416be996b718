"""The landings of tasks and the paths that they changed."""

from collections.abc import Collection, Iterable

from pex_tui.adapters.git.plumbing.commit_message import RUN_TRAILER, rollback_of, trailers_of
from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.adapters.git.plumbing.merge_tree import UnmergedPath
from pex_tui.adapters.git.plumbing.objects import Commit, read_commits
from pex_tui.core.model.ids import CommitId, RunId, TaskId
from pex_tui.core.model.run_refs import run_prefix


async def commits_of(git: Git, tip: CommitId, *without: CommitId) -> list[Commit]:
    """Return commits of `tip` that none of `without` holds, oldest first, along first parents.

    Raises GitError.
    """
    excluded = [f"^{commit}" for commit in without]
    listing = await git.text("rev-list", "--reverse", "--first-parent", tip, *excluded)
    return await read_commits(git, *listing.split())


async def landings_of(
    git: Git, run: RunId, tip: CommitId, *without: CommitId, must_be_kept: bool = False
) -> list[tuple[Commit, TaskId]] | None:
    """Return the landings of a run that `tip` has and `without` has not, oldest first.

    Landings that were rolled back are left out. Returns None if other commits are among them: each
    landing, and each rollback of one, is a commit on the one before and, with `must_be_kept`, is
    under a ref since it was made. Raises GitError.
    """
    excluded = [f"^{commit}" for commit in without]
    listing = (await git.text("rev-list", "--reverse", tip, *excluded)).split()
    if not listing:
        return []
    kept = (await git.text("for-each-ref", "--format=%(objectname)", run_prefix(run))).split()
    commits = await read_commits(git, *listing)
    for commit in commits:
        named = trailers_of(commit.message) or rollback_of(commit.message)
        ours = named is not None and named[0] == run and (commit.id in kept or not must_be_kept)
        if not ours or len(commit.parents) != 1:
            return None
    return [(commit, task) for (_, task), commit in standing_landings(commits).items()]


def standing_landings(commits: Iterable[Commit]) -> dict[tuple[RunId, TaskId], Commit]:
    """Return the landings among these commits, oldest first, that none of them rolls back."""
    found: dict[tuple[RunId, TaskId], Commit] = {}
    for commit in commits:
        landed, undone = trailers_of(commit.message), rollback_of(commit.message)
        if landed is not None:
            found.pop(landed, None)
            found[landed] = commit
        elif undone is not None:
            found.pop(undone, None)
    return found


async def landings_in(git: Git, run: RunId, base: CommitId, tip: CommitId) -> dict[TaskId, Commit]:
    """Return the run's landings, or their replays, that a branch of the user holds since `base`.

    Oldest first, without those that were rolled back. Raises GitError.
    """
    command = ("rev-list", "--reverse", "--topo-order", f"--grep=^{RUN_TRAILER}: {run}$")
    listing = (await git.text(*command, tip, f"^{base}")).split()
    standing = standing_landings(await read_commits(git, *listing))
    return {task: commit for (whose, task), commit in standing.items() if whose == run}


async def unlanded_commits(
    git: Git, base: CommitId, tip: CommitId, target: CommitId
) -> list[Commit]:
    """Return a run's commits from `base` to `tip` that `target` has neither as such nor replayed.

    Oldest first. A replay is recognised by its trailers, because a task lands once in a run, until
    it is rolled back. A landing is left out with its rollback if both are missing there. A landing
    that `target` holds and rolls back is missing, unless the run rolls it back as well. Raises
    GitError.
    """
    theirs = await _commits_in(git, f"{tip}..{target}")
    replayed, undone = standing_landings(theirs), _rolled_back(theirs)
    commits = await commits_of(git, tip, base, target)
    standing = {commit.id for commit in standing_landings(commits).values()}
    landed = {trailers_of(commit.message) for commit in commits}

    def is_missing(commit: Commit) -> bool:
        named, undoes = trailers_of(commit.message), rollback_of(commit.message)
        if undoes is not None:
            return undoes not in landed and (undoes not in undone or undoes in replayed)
        return named not in replayed and (named is None or commit.id in standing)

    missing = [commit for commit in commits if is_missing(commit)]
    gone = undone - {*replayed}
    if not gone:
        return missing
    known = {commit.id for commit in commits}
    held = standing_landings(await commits_of(git, tip, base))
    again = [one for named, one in held.items() if named in gone and one.id not in known]
    return [*again, *missing]


def _rolled_back(commits: Iterable[Commit]) -> set[tuple[RunId, TaskId]]:
    named = (rollback_of(commit.message) for commit in commits)
    return {one for one in named if one is not None}


async def _commits_in(git: Git, span: str) -> list[Commit]:
    """Return the commits of a span of revisions, oldest first."""
    listing = await git.text("rev-list", "--reverse", "--topo-order", span)
    return await read_commits(git, *listing.split())


async def landings_on(
    git: Git, work: Commit, tip: CommitId, conflicts: tuple[UnmergedPath, ...]
) -> list[tuple[Commit, TaskId]]:
    """Return the landings, oldest first, that touched the paths on which the work conflicts.

    Returns all landings since if none touched exactly those paths (for a renamed directory, say).
    """
    commits = await commits_of(git, tip, work.id)
    touching = await commits_on(git, work, commits, conflicts)
    return _landings(touching) or _landings(commits)


async def commits_on(
    git: Git, work: Commit, commits: list[Commit], conflicts: tuple[UnmergedPath, ...]
) -> list[Commit]:
    """Return those of the commits that touched the paths on which the work conflicts."""
    paths = {conflict.path for conflict in conflicts}
    paths |= {source for source, name in await _renames(git, work) if name in paths}
    touched = await _paths_of(git, commits)
    return [commit for commit in commits if _meet(touched[commit.id], paths)]


def _landings(commits: Iterable[Commit]) -> list[tuple[Commit, TaskId]]:
    named = ((commit, trailers_of(commit.message)) for commit in commits)
    return [(commit, trailers[1]) for commit, trailers in named if trailers]


async def _paths_of(git: Git, commits: list[Commit]) -> dict[CommitId, set[str]]:
    if not commits:
        return {}
    stdin = "".join(f"{commit.id}\n" for commit in commits).encode()
    answer = await git.run(
        *("diff-tree", "--stdin", "-r", "-m", "--first-parent", "--no-renames"),
        *("--name-only", "-z"),
        stdin=stdin,
    )
    touched: dict[CommitId, set[str]] = {commit.id: set() for commit in commits}
    current: set[str] = set()
    for token in answer.stdout.decode("utf-8", "surrogateescape").split("\0"):
        if CommitId(token) in touched:
            current = touched[CommitId(token)]
        elif token:
            current.add(token)
    return touched


async def _renames(git: Git, work: Commit) -> list[tuple[str, str]]:
    """Return (old path, new path) of the work's renames."""
    if not work.parents:
        return []
    answer = await git.run(
        *("diff-tree", "-r", "-M", "--diff-filter=R", "--name-status", "-z"),
        *(work.parents[0], work.id),
    )
    tokens = answer.stdout.decode("utf-8", "surrogateescape").split("\0")
    return list(zip(tokens[1::3], tokens[2::3], strict=True))


def _meet(touched: Collection[str], paths: Collection[str]) -> bool:
    """Return whether a touched path equals, contains or is inside one of the paths."""
    return any(
        one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")
        for one in touched
        for other in paths
    )
