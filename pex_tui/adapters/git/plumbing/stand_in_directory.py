"""A git directory that stands in for the user's: their objects and refs, our settings.

Objects, refs and reflogs are links to the user's, so all of git's locks apply there. Configuration,
attributes and excludes are copies from before any agent ran: filters, merge drivers and attributes
written to the user's files later have no effect on our git.
"""

import asyncio
import os
from pathlib import Path

from msgspec.structs import replace

from pex_tui.adapters.git.plumbing.filesystem import is_folder, put_bytes, remove_tree
from pex_tui.adapters.git.plumbing.git_runner import Git, GitError
from pex_tui.adapters.git.plumbing.git_settings import (
    GitSetting,
    pinned_settings,
    read_git_settings,
    value_of,
    workspace_settings,
)
from pex_tui.adapters.git.plumbing.repository import Repository, RepositoryError
from pex_tui.adapters.git.plumbing.sparse_patterns import sparse_settings, user_patterns
from pex_tui.core.sanitize import clean

# Only these are the user's current data.
_LINKED = ("objects", "refs", "packed-refs", "shallow", "reftable", "worktrees", "logs/refs")
_COPIED = ("info/attributes", "info/exclude", "info/grafts")
_COMPLETE = "complete"
_SAMPLE = ".sample"
_MOST_HOOK_BYTES = 4 * 1024 * 1024

WORKSPACE_CONFIG = "workspace.config"
"""In the stand-in's folder: the initial configuration of workspaces."""
SPARSE = "sparse"
"""In the stand-in's folder: the patterns of the user's sparse checkout, if it is one."""
HOOKS = "hooks"
"""In the stand-in's folder: the user's hooks, for the agents' own commits."""


async def stand_in_for(repository: Repository, folder: Path) -> Repository:
    """Return the repository seen through a stand-in in the folder, creating it if necessary.

    Raises RepositoryError.
    """
    try:
        if _content(folder / _COMPLETE) != _made_for(repository, folder):
            await _make(repository, folder)
        _follow(repository, folder)
    except (GitError, OSError) as error:
        raise RepositoryError(
            f"The settings of this repository can't be read: {clean(str(error))}. Correct them "
            "(`git config --list` names the file), then try again."
        ) from error
    return replace(repository, stand_in=folder)


async def _make(repository: Repository, folder: Path) -> None:
    settings = await read_git_settings(repository.checkout)
    await asyncio.to_thread(_write, repository, folder, settings)


def _write(repository: Repository, folder: Path, settings: tuple[GitSetting, ...]) -> None:
    remove_tree(folder)
    folder.mkdir(mode=0o700, parents=True)
    common = repository.common_dir
    for name in _COPIED:
        if (common / name).is_file():
            put_bytes(folder / name, _content(common / name))
    put_bytes(folder / "attributes", _named_file(settings, "core.attributesfile", "attributes"))
    put_bytes(folder / "excludes", _named_file(settings, "core.excludesfile", "ignore"))
    lfs = {"lfs.storage": str(common / (value_of(settings, "lfs.storage") or "lfs"))}
    files = {
        "core.attributesfile": str(folder / "attributes"),
        "core.excludesfile": str(folder / "excludes"),
    }
    _put(folder / "config", pinned_settings(settings, {"core.bare": "false", **files, **lfs}))
    ours = {"core.bare": "false", "gc.auto": "0", "maintenance.auto": "false", **lfs}
    patterns = user_patterns(settings, repository.git_dir)
    if patterns is not None:
        put_bytes(folder / SPARSE, patterns)
        ours |= sparse_settings(settings)
    _put(folder / WORKSPACE_CONFIG, workspace_settings(settings, repository.top_level, ours))
    _copy_hooks(common / "hooks", folder / HOOKS)
    for name in _LINKED:
        _link(common / name, folder / name)
    put_bytes(folder / _COMPLETE, _made_for(repository, folder))


def _made_for(repository: Repository, folder: Path) -> bytes:
    """Return the places that a stand-in names; it is rebuilt if the repository has moved."""
    return os.fsencode(f"{repository.common_dir}\n{folder}\n")


def _follow(repository: Repository, folder: Path) -> None:
    """Copy the user's HEAD: git recognises no directory without one.

    Links to a moved repository are renewed: its old place may belong to another by now.
    """
    if not os.path.samestat(_place(repository.common_dir / "refs"), _place(folder / "refs")):
        for link, target in ((folder / name, repository.common_dir / name) for name in _LINKED):
            if link.is_symlink():
                link.unlink()
                _link(target, link)
    head = (repository.git_dir / "HEAD").read_text("utf-8", "surrogateescape")
    _put(folder / "HEAD", head)


def _place(path: Path) -> os.stat_result:
    """Return the stat of the target; for a dangling link, that of the link itself."""
    return path.stat() if path.exists() else path.lstat()


def _link(target: Path, link: Path) -> None:
    link.parent.mkdir(exist_ok=True)
    if link.name == "refs" and link.parent.name == "logs" and not is_folder(target):
        return  # git creates folders only below a folder: these reflogs are ours alone
    link.symlink_to(target)


def _copy_hooks(source: Path, target: Path) -> None:
    target.mkdir()
    if not source.is_dir():
        return
    for hook in source.iterdir():
        is_hook = hook.is_file() and os.access(hook, os.X_OK) and hook.suffix != _SAMPLE
        if is_hook and hook.stat().st_size <= _MOST_HOOK_BYTES:
            put_bytes(target / hook.name, hook.read_bytes())
            (target / hook.name).chmod(0o755)


def _named_file(settings: tuple[GitSetting, ...], key: str, usual: str) -> bytes:
    """Return the user's file of attributes or excludes, from the place where git looks for it."""
    named = value_of(settings, key)
    if named is not None:
        return _content(Path(named).expanduser()) if named else b""
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return _content(Path(home) / "git" / usual)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _put(path: Path, text: str) -> None:
    put_bytes(path, os.fsencode(text))


def why_unusable(git: Git, run: str) -> str:
    """Return what to do if the stand-in that git works with was removed; empty if it is there."""
    if (git.git_dir / "HEAD").exists():
        return ""
    return (
        f"the copy of git's settings in {clean(str(git.git_dir))} was removed. `pex-tui resume "
        f"{run}` makes it again, from the settings as they are now, and goes on"
    )


def user_git(git: Git) -> Git:
    """Return git on the user's own git directory, for operations on their work trees."""
    return Git((git.git_dir / "refs").resolve().parent)
