"""Folders that only this user can use."""

import os
import stat
from pathlib import Path


def make_private(folder: Path) -> None:
    """Create the folder if it is missing; raise OSError unless it is this user's alone."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    if not is_ours or found.st_mode & 0o077:
        raise PermissionError(
            f"{folder} must be a folder that only you can use; remove it or run chmod 700 on it"
        )
