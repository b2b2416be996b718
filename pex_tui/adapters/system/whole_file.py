"""Files that are there whole or not at all, also after a power cut."""

import os
from pathlib import Path


def write_whole(path: Path, content: bytes, *, sync: bool = True, mode: int = 0o600) -> None:
    """Put a file in place at once, so that no reader and no crash meets half of it.

    What had the name is replaced, also a link. The mode is that one, whatever the umask. With
    `sync` the content and its name are on the disk when this returns. Raises OSError, with what was
    there as it was and nothing beside it.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")  # others may write the same file
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            rest = memoryview(content)
            while rest:  # a disk that fills up takes a part, then says so
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
    """Have the disk know the names in a folder; raise OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
