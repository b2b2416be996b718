"""The changes of a live attempt so far, without touching what the attempt or a capture uses."""

import asyncio
from pathlib import Path

from pex_tui.adapters.git.capture.snapshot import Extras, select_work
from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.adapters.git.plumbing.shadow_index import (
    IndexEntry,
    ShadowIndex,
    seed_shadow,
    shadow_in,
)
from pex_tui.adapters.git.plumbing.sparse_patterns import NARROWED
from pex_tui.adapters.git.plumbing.worktree_record import Worktree
from pex_tui.core.model.ids import CommitId

MOST_BYTES = 2 * 1024 * 1024
_TIMEOUT_SECONDS = 30.0
# A changed file beyond this size is only reported as different: git would load all of it.
_WHOLE_FILE = "20m"
_DIFF = (
    *("diff", "-M", "--no-color", "--no-ext-diff", "--no-textconv", "--no-relative"),
    *("--src-prefix=a/", "--dst-prefix=b/", "--submodule=short", "--ignore-submodules=dirty"),
)


async def copy_shadow(worktree: Worktree, folder: Path, start: CommitId, git: Git) -> ShadowIndex:
    """Copy the worktree's shadow to the folder, replacing an earlier copy.

    Raises GitError or OSError.
    """
    shadow = shadow_in(folder, worktree.path, start, git)
    try:
        await asyncio.to_thread(seed_shadow, folder, worktree.shadow, git, start)
    except FileNotFoundError:  # the index is gone after a crash, or removed by a person
        await shadow.forget_index()
    return shadow


async def diff_of(shadow: ShadowIndex, extras: Extras) -> str:
    """Return the work so far as a unified diff, cut at 2 MB; raise GitError.

    The shadow's index is unusable for a capture afterwards.
    """
    work = await select_work(shadow, extras)
    if not (work.gone or work.changed or work.new or extras.absent):
        return ""
    # A file is read anew if its entry has no stat data, so any id will do.
    announced = [IndexEntry("100644", shadow.start, path) for path in work.new]
    await shadow.remove(work.gone)
    await shadow.put(announced)
    await shadow.leave_out(extras.absent)
    answer = await shadow.git.run(
        *(*NARROWED, "-c", f"core.bigFileThreshold={_WHOLE_FILE}", *_DIFF, shadow.start),
        timeout_seconds=_TIMEOUT_SECONDS,
        most_bytes=MOST_BYTES,
    )
    text = answer.stdout[:MOST_BYTES].decode("utf-8", "replace")
    return text if len(answer.stdout) <= MOST_BYTES else f"{text}\n… cut at 2 MB\n"
