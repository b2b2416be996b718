"""Find the landings that conflict with a work: those that changed what no longer merges."""

import re

from msgspec import Struct

from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.adapters.git.plumbing.merge_tree import TreeMerge, TreeMerger, UnmergedPath, entries_at
from pex_tui.adapters.git.plumbing.objects import Commit, read_blobs
from pex_tui.adapters.git.user_repository.landing_history import landings_on
from pex_tui.core.model.ids import CommitId, TaskId

_MOST_MERGES = 30  # beyond this, all tasks that touched the paths are named
_ConflictText = tuple[bytes, ...] | tuple[str, str]


class ConflictBlame(Struct, frozen=True):
    """Finds the tasks by merging the work onto each landing that touched the paths."""

    git: Git
    merger: TreeMerger

    async def against(self, work: Commit, tip: CommitId, merge: TreeMerge) -> tuple[TaskId, ...]:
        """Return the tasks that conflict with the work, oldest landing first; raise GitError."""
        landings = await landings_on(self.git, work, tip, merge.conflicts)
        guilty: list[TaskId] = []
        if 1 < len(landings) <= _MOST_MERGES:
            before: dict[str, _ConflictText] = {}
            for commit, task in landings:
                conflicting = await self._conflicting(await self.merger.merge(commit, work))
                if any(before.get(path) != found for path, found in conflicting.items()):
                    guilty.append(task)
                before = conflicting
        return tuple(dict.fromkeys(guilty or [task for _, task in landings]))

    async def _conflicting(self, merge: TreeMerge) -> dict[str, _ConflictText]:
        """Return the texts between git's markers by path.

        Without any, the kind and what landed there.
        """
        merged = await entries_at(self.git, merge.tree, [one.path for one in merge.conflicts])
        marked = [one for one in merge.conflicts if one.kind in {"content", "add/add"}]
        paths = [one.path for one in marked if one.path in merged]
        blobs = await read_blobs(self.git, [merged[path].oid for path in paths])
        between = re.compile(
            rb"(?ms)^<{7,} %s\b[^\n]*\n(.*?)^>{7,} %s" % (merge.tip.encode(), merge.work.encode())
        )
        texts = {
            path: tuple(between.findall(blob)) for path, blob in zip(paths, blobs, strict=True)
        }
        return {one.path: texts.get(one.path) or _as_whole(one) for one in merge.conflicts}


def _as_whole(conflict: UnmergedPath) -> tuple[str, str]:
    return conflict.kind, conflict.tip.oid if conflict.tip else ""
