"""The private temporary folder of a sandbox: made before the start, removed after the end."""

import os
import shutil  # the launcher loads it once for all shims
from pathlib import Path

_ALL_OF_OWNER = 0o700


def make_temporary(folder: str) -> None:
    """Make the folder, for this user alone; raise OSError if it exists or can't be made."""
    Path(folder).mkdir(mode=_ALL_OF_OWNER)


def remove_temporary(folder: str) -> None:
    """Remove the folder with all that it holds; no link is followed. What can't be stays."""
    shutil.rmtree(folder, ignore_errors=True)
    if Path(folder).is_dir():
        for parent, _, _ in os.walk(folder):  # what its owner may not change
            Path(parent).chmod(_ALL_OF_OWNER)
            for name in os.listdir(parent):  # noqa: PTH208  # names are enough
                child = Path(parent, name)
                if child.is_dir() and not child.is_symlink():
                    child.chmod(_ALL_OF_OWNER)
        shutil.rmtree(folder, ignore_errors=True)
