"""The folder of sockets: short and private, because a socket's path has at most 107 bytes."""

import os
import stat
from pathlib import Path

_LONGEST_BASE = 60  # leaves room for the folder and a socket's name


def socket_folder() -> Path:
    """Return the folder for this user's sockets, in $XDG_RUNTIME_DIR or the temporary directory.

    It is created if missing; raises OSError if others have access to it.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and len(os.fsencode(runtime)) <= _LONGEST_BASE and os.access(runtime, os.W_OK):
        folder = Path(runtime, "pex-tui")
    else:
        temporary = os.environ.get("TMPDIR", "")
        if not temporary or len(os.fsencode(temporary)) > _LONGEST_BASE:
            temporary = "/tmp"  # noqa: S108  # the folder below it is checked to be ours alone
        folder = Path(temporary, f"pex-tui-{os.getuid()}")
    make_private(folder)
    return folder


def make_private(folder: Path) -> None:
    """Create the folder if it is missing; raise OSError unless it is this user's alone."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    if not is_ours or found.st_mode & 0o077:
        raise PermissionError(
            f"{folder} must be a folder that only you can use; remove it or run chmod 700 on it"
        )
