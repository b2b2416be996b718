"""Where a repository's runs are kept, outside of it."""

import hashlib
import os
import re
from pathlib import Path

from pex_tui.adapters.git.repository import Repository, RepositoryError, shown

_NAME_LIMIT = 40


def state_directory(repository: Repository) -> Path:
    """The repository's state directory, made if need be; one for all of its worktrees.

    `$XDG_STATE_HOME`, or `~/.local/state`, then `pex-tui/<name>-<hash of the common git dir>`.
    Raises RepositoryError when it can't be written.
    """
    digest = hashlib.sha256(os.fsencode(repository.common_dir)).hexdigest()[:12]
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", repository.name).strip("-.")[:_NAME_LIMIT]
    folder = _state_home() / "pex-tui" / f"{name or 'repository'}-{digest}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        reason = error.strerror or "it can't be written"
        raise RepositoryError(
            f"The state directory {shown(folder)} can't be used: {reason}. "
            "Make it writable, or set XDG_STATE_HOME to a folder that is."
        ) from error
    return folder


def _state_home() -> Path:
    """A relative `$XDG_STATE_HOME` counts for nothing, as the XDG specification asks."""
    named = os.environ.get("XDG_STATE_HOME", "")
    return Path(named) if Path(named).is_absolute() else Path.home() / ".local" / "state"
