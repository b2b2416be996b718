"""Write files atomically, also across a power cut."""

import os
from pathlib import Path


def write_whole(path: Path, content: bytes, *, sync: bool = True, mode: int = 0o600) -> None:
    """Replace a file atomically: no reader and no crash sees half of it.

    Whatever has the name is replaced, even a link. The mode is exact, whatever the umask. With
    `sync`, content and name are on disk on return. Raises OSError, leaving the old file and no
    temporary file.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")  # others may write the same file
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            rest = memoryview(content)
            while rest:  # a nearly full disk takes a part before it reports
                rest = rest[file.write(rest) :]
            os.fchmod(descriptor, mode)
            if sync:
                os.fsync(descriptor)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    if sync:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to disk; raise OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
