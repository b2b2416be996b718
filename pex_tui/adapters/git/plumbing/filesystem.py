"""File operations that never follow a link: remove, replace, exist, size."""

import os
import shutil
import stat
from pathlib import Path


def remove_tree(path: Path) -> None:
    """Remove a folder, a file or a link (never its target); do nothing if there is none.

    Raises OSError if something cannot be removed.
    """
    if not is_folder(path):
        path.unlink(missing_ok=True)
        return
    try:
        shutil.rmtree(path)
    except OSError:
        make_writable(path)
        shutil.rmtree(path)


def put_file(path: Path, content: str) -> None:
    """Write a file, replacing whatever is there; raise OSError."""
    if not path.is_symlink() and path.is_file():
        if path.read_text("utf-8", "surrogateescape") == content:
            return
    elif path.is_symlink() or path.exists():
        remove_tree(path)
    path.write_text(content, "utf-8", "surrogateescape")


def put_bytes(path: Path, content: bytes) -> None:
    """Write a file, creating its folder; raise OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def make_writable(folder: Path) -> None:
    """Give the owner all rights on the folder and the folders below it."""
    folder.chmod(stat.S_IRWXU)
    for parent, names, _ in os.walk(folder):
        for name in names:
            child = Path(parent, name)
            if is_folder(child):
                child.chmod(stat.S_IRWXU)


def is_folder(path: Path) -> bool:
    """Return whether there is a real folder, not a link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def exists(path: Path) -> bool:
    """Return whether anything is there, including a dangling link."""
    return os.path.lexists(path)


def size_bytes(path: Path) -> int:
    """Return the disk usage of a folder or file in bytes; a link counts as itself."""
    total = 0
    stack = [path]
    while stack:
        current = stack.pop()
        try:
            total += current.lstat().st_blocks * 512
            if is_folder(current):
                stack += [Path(entry.path) for entry in os.scandir(current)]
        except OSError:
            continue  # removed meanwhile, or not readable
    return total
