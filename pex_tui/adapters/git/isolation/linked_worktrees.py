"""Linked worktrees of the user's repository, which version 0.1 used as workspaces.

Work in one is captured there; before its place is used again, the worktree and its registration in
the user's repository are removed.
"""

from contextlib import suppress
from pathlib import Path

from pex_tui.adapters.git.plumbing.filesystem import is_folder, put_file, remove_tree
from pex_tui.adapters.git.plumbing.worktree_record import Worktree
from pex_tui.core.model.ids import CommitId

_FOLDER = "worktrees"


def registered(common_dir: Path, root: Path) -> list[Worktree]:
    """Return the linked worktrees below `root`, including those half made by a killed git."""
    found = []
    for link in sorted((common_dir / _FOLDER).glob("*/gitdir")):
        with suppress(OSError):  # one is being removed at this moment, or is not readable
            path = Path(link.read_text("utf-8", "surrogateescape").removesuffix("\n")).parent
            if path.is_relative_to(root):
                found.append(Worktree(path, link.parent))
    return found


def forget_linked(common_dir: Path, path: Path) -> None:
    """Remove the registration of a linked worktree at the path, if there is one."""
    for worktree in registered(common_dir, path):
        unlink(worktree, common_dir)


def forget_half_made(common_dir: Path, pool: Path) -> None:
    """Remove what a killed `git worktree add` left in the pool.

    As long as one `commondir` is empty, git refuses to work with any worktree. Such an entry has no
    index yet, so there is no work in it.
    """
    for worktree in registered(common_dir, pool):
        with suppress(OSError):
            half_made = not (worktree.git_dir / "commondir").stat().st_size
            if half_made and worktree.path.parent == pool:
                remove_tree(worktree.git_dir)


def unlink(worktree: Worktree, common_dir: Path) -> None:
    """Remove a linked worktree's registration, as `git worktree remove` would."""
    folder = common_dir / _FOLDER
    if worktree.is_linked and worktree.git_dir.parent == folder and _is_of(worktree):
        remove_tree(worktree.git_dir)
        if is_folder(folder) and not any(folder.iterdir()):
            folder.rmdir()


def let_go_of_branch(worktree: Worktree, commit: CommitId) -> None:
    """Detach a linked worktree's HEAD: git lets nobody else use a branch that is checked out."""
    if worktree.is_linked and is_folder(worktree.git_dir):
        put_file(worktree.git_dir / "HEAD", f"{commit}\n")


def _is_of(worktree: Worktree) -> bool:
    """Return whether the administrative folder still belongs to this worktree."""
    try:
        link = (worktree.git_dir / "gitdir").read_text("utf-8", "surrogateescape")
    except OSError:
        return False
    return link.removesuffix("\n") == str(worktree.path / ".git")
