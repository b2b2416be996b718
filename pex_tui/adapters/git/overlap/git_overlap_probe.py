"""Watch workspaces for changes and test with git whether two of them would merge."""

import asyncio
from collections.abc import Callable

from msgspec import Struct

from pex_tui.adapters.git.overlap.overlap_filter import may_overlap, shared_lines, told_lines
from pex_tui.adapters.git.plumbing.attributes import Attributes
from pex_tui.adapters.git.plumbing.git_runner import Git, GitError
from pex_tui.adapters.git.plumbing.merge_tree import TreeMerge, TreeMerger, entries_at
from pex_tui.adapters.git.plumbing.objects import read_blobs, read_commits
from pex_tui.adapters.git.workspaces.provider import GitWorkspaces
from pex_tui.adapters.system.folder_watch import FolderWatch
from pex_tui.core.model.conflict import ConflictPath
from pex_tui.core.textmerge.conflict_markers import conflicting_lines
from pex_tui.engine.attempt import AttemptKey
from pex_tui.engine.overlap_probe import ChangeSet
from pex_tui.engine.ports import WorkspaceError


class GitOverlapProbe(Struct, frozen=True):
    """The overlap watcher of one repository."""

    workspaces: GitWorkspaces

    def watch(self, warn: Callable[[str], None]) -> FolderWatch:
        """Watch the workspaces for changes.

        `warn` receives the reason if that is slower than usual.
        """
        return FolderWatch(warn)

    async def change_set(self, key: AttemptKey, before: ChangeSet | None) -> ChangeSet | None:
        """Return what the attempt has changed so far; raise WorkspaceError."""
        return await self.workspaces.change_set(key, before)

    async def overlap(self, first: ChangeSet, second: ChangeSet) -> tuple[ConflictPath, ...]:
        """Return the paths in which the two do not merge; raise WorkspaceError."""
        if not may_overlap(first, second):
            return ()
        git = self.workspaces.repository.git
        merger = TreeMerger(git, Attributes(git, self.workspaces.places.root / "attributes"))
        try:
            commits = await read_commits(git, first.commit, second.commit)
            if first.start != second.start and await _comes_later(git, first, second):
                commits.reverse()
            work, tip = commits  # the tip is the one that has more of the landings
            merged = await merger.merge(tip, work)
            apart = first.start != second.start
            in_conflict = await _conflicting_lines(git, merged) if apart else {}
        except (GitError, OSError) as error:
            raise WorkspaceError(f"git can't tell whether two tasks overlap: {error}") from error
        return tuple(
            ConflictPath(
                one.path,
                one.kind,
                in_conflict.get(one.path, "") or shared_lines(first, second, one.path),
            )
            for one in merged.conflicts
        )


async def _comes_later(git: Git, first: ChangeSet, second: ChangeSet) -> bool:
    """Return whether the first started from a later tip than the second."""
    answer = await git.run(*("merge-base", "--is-ancestor", second.start, first.start), ok=(0, 1))
    return answer.status == 0


async def _conflicting_lines(git: Git, merge: TreeMerge) -> dict[str, str]:
    """Return the conflicting lines by path, as numbered in the tip."""
    edits = [one.path for one in merge.conflicts if one.kind in {"content", "add/add"}]
    merged = await entries_at(git, merge.tree, edits)
    texts = await read_blobs(git, [side.oid for side in merged.values()])
    found = {}
    for path, text in zip(merged, texts, strict=True):
        marked = text.decode("utf-8", "surrogateescape")
        lines = await asyncio.to_thread(conflicting_lines, marked, merge.tip, merge.work)
        found[path] = "" if lines is None else told_lines(*lines)
    return found
