"""Keep files that are too large for git beside the attempt's log, because a reset deletes them."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from pex_tui.adapters.git.plumbing.filesystem import is_folder, make_writable
from pex_tui.engine.attempt import AttemptKey
from pex_tui.engine.run_paths import RunPaths

LEFT_OUT = "left-out"
ASIDE = "aside"
"""The attempt's folders for files too large for git, and for others that cannot land."""


def left_out_folder(places: RunPaths, key: AttemptKey) -> Path:
    """Return the folder of the attempt's files that are too large for git."""
    return places.attempt(key.run, key.task, key.attempt) / LEFT_OUT


def files_left_out(folder: Path) -> tuple[str, ...]:
    """Return the absolute paths of an attempt's files that are too large for git, sorted."""
    found = (path for path in folder.rglob("*") if not path.is_dir())
    return tuple(sorted(os.fspath(path) for path in found))


def has_left_out(run_folder: Path) -> bool:
    """Return whether an attempt of the run has such files."""
    return any(run_folder.glob(f"*/*/{LEFT_OUT}"))


def set_aside(root: Path, paths: Sequence[str], folder: Path) -> None:
    """Move files and folders of a work tree there, keeping their relative paths; raise OSError.

    Anything behind a link is outside the work tree and stays. Existing files are kept.
    """
    for path in paths:
        source, target = root / path, folder / path
        if source.parent.resolve() != root.resolve() / Path(path).parent:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        while os.path.lexists(target):
            target = target.with_name(f"{target.name}~")
        try:
            source.rename(target)
        except OSError:  # another disk, or a read-only folder: the reset removes the source
            copy(source, target)


def copy(source: Path, target: Path) -> None:
    """Copy a file, a link or a folder; raise OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if is_folder(source):
        make_writable(source)
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target, follow_symlinks=False)
