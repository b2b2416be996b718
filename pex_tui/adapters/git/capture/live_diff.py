"""What an attempt at work has changed so far, without touching anything that it or a capture uses.

The shadow is copied, as is its index, so that a capture of the same worktree meets no lock of ours
and no half-written index. New files are only named to git: nothing is stored.
"""

import asyncio
from pathlib import Path

from pex_tui.adapters.git.capture.snapshot import Extras, select_work
from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.adapters.git.plumbing.shadow_index import IndexEntry, Shadow, cast_shadow, shadow_in
from pex_tui.adapters.git.plumbing.sparse_patterns import NARROWED
from pex_tui.adapters.git.plumbing.worktree_record import Worktree
from pex_tui.core.model.ids import CommitId

MOST_BYTES = 2 * 1024 * 1024
_TIMEOUT_SECONDS = 30.0
# A changed file beyond this size is only said to differ: git would load it as a whole.
_WHOLE_FILE = "20m"
_DIFF = (
    *("diff", "-M", "--no-color", "--no-ext-diff", "--no-textconv", "--no-relative"),
    *("--src-prefix=a/", "--dst-prefix=b/", "--submodule=short", "--ignore-submodules=dirty"),
)


async def copy_shadow(worktree: Worktree, folder: Path, start: CommitId, git: Git) -> Shadow:
    """A copy of the worktree's shadow in the folder, in place of an earlier one.

    Raises GitError or OSError.
    """
    shadow = shadow_in(folder, worktree.path, start, git)
    try:
        await asyncio.to_thread(cast_shadow, folder, worktree.shadow, git, start)
    except FileNotFoundError:  # a crash, or a person, took the index
        await shadow.forget_index()
    return shadow


async def diff_of(shadow: Shadow, extras: Extras) -> str:
    """The work so far as a unified diff, cut at 2 MB; raise GitError.

    The shadow's index is no good for a capture afterwards.
    """
    work = await select_work(shadow, extras)
    if not (work.gone or work.changed or work.new or extras.absent):
        return ""
    # A file whose entry knows nothing of it is read anew, so any id will do.
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
