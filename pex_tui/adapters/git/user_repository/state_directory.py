"""The state directory: the place of a repository's runs, outside of the repository."""

import hashlib
import os
import re
from pathlib import Path

from pex_tui.adapters.git.plumbing.repository import Repository, RepositoryError, shown_path
from pex_tui.adapters.git.user_repository.state_owner import (
    Owner,
    is_elsewhere,
    knows_runs_of,
    named_by_worktrees,
    new_identity,
    read_identity,
    read_owner,
    write_identity,
    write_owner,
)

_NAME_LIMIT = 40


def state_directory(repository: Repository) -> Path:
    """Return the repository's state directory, creating it; all of its worktrees share it.

    `$XDG_STATE_HOME`, or `~/.local/state`, then `pex-tui/<name>-<hash>`. A repository that was
    moved keeps its directory; one that took another's place, or is a copy, gets a new one. Raises
    RepositoryError if it is not writable.
    """
    home = state_home() / "pex-tui"
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = _known(repository, home) or _new(repository, home)
        _check_writable(folder)
    except OSError as error:
        place = Path(os.fsdecode(error.filename)) if error.filename else home
        reason = error.strerror or "it can't be written"
        raise RepositoryError(
            f"The state directory {shown_path(place)} can't be used: {reason}. "
            "Make it writable, or set XDG_STATE_HOME to a folder that is."
        ) from error
    return folder


def _check_writable(folder: Path) -> None:
    """Raise OSError, with the folder's name, if nothing can be written there."""
    probe = folder / f".probe-{os.getpid()}"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(folder)) from error


def _known(repository: Repository, home: Path) -> Path | None:
    """Return the folder that already belongs to this repository."""
    here = os.fspath(repository.common_dir)
    first = home / _name(repository, os.fsencode(here))
    identity = read_identity(repository.common_dir)
    if identity is not None:
        folder = _of_identity(identity, first, home)
        owner = read_owner(folder) if folder else None
        if folder is not None and owner is not None:
            if owner.place == here:
                return folder
            if is_elsewhere(owner, repository.common_dir):
                return None  # a copy, with the original's id in it
            write_owner(folder, Owner(identity, here))
            return folder
    for folder in (first, *named_by_worktrees(repository.common_dir, home)):
        if knows_runs_of(folder, repository):
            owner = read_owner(folder)
            _bind(repository, folder, owner.identity if owner else identity or new_identity())
            return folder
    return None


def _of_identity(identity: str, first: Path, home: Path) -> Path | None:
    """Return the state directory with that id; `first` is its usual place."""
    others = (owner.parent for owner in home.glob("*/repository.json"))
    for folder in (first, *others):
        owner = read_owner(folder)
        if owner is not None and owner.identity == identity:
            return folder
    return None


def _new(repository: Repository, home: Path) -> Path:
    """Return a new folder, named after the repository's path unless another has that name."""
    folder = home / _name(repository, os.fsencode(repository.common_dir))
    identity = read_identity(repository.common_dir)
    if identity is None or _of_identity(identity, folder, home):  # a copy has the original's id
        identity = new_identity()
    if folder.exists():
        folder = home / _name(repository, identity.encode())
    folder.mkdir(mode=0o700)
    _bind(repository, folder, identity)
    return folder


def _bind(repository: Repository, folder: Path, identity: str) -> None:
    """Record on both sides that they belong together; by path, if the repository is read-only."""
    kept = write_identity(repository.common_dir, identity)
    write_owner(folder, Owner(identity if kept else "", os.fspath(repository.common_dir)))


def _name(repository: Repository, key: bytes) -> str:
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", repository.name).strip("-.")[:_NAME_LIMIT]
    return f"{name or 'repository'}-{hashlib.sha256(key).hexdigest()[:12]}"


def state_home() -> Path:
    """Return the user's folder for state.

    A relative `$XDG_STATE_HOME` is ignored, as the XDG specification requires.
    """
    named = os.environ.get("XDG_STATE_HOME", "")
    return Path(named) if Path(named).is_absolute() else Path.home() / ".local" / "state"
