"""New files that are too large for git: kept beside the attempt's log, for a reset deletes them."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from pex_tui.engine.attempt import AttemptKey
from pex_tui.engine.places import Places

_FOLDER = "left-out"


def left_out_folder(places: Places, key: AttemptKey) -> Path:
    """Where the attempt's files lie that are too large for git."""
    return places.attempt(key.run, key.task, key.attempt) / _FOLDER


def files_left_out(folder: Path) -> tuple[str, ...]:
    """The absolute paths of the files in an attempt's folder for them, sorted."""
    found = (path for path in folder.rglob("*") if not path.is_dir())
    return tuple(sorted(os.fspath(path) for path in found))


def has_left_out(run_folder: Path) -> bool:
    """Whether an attempt of the run has such files."""
    return any(run_folder.glob(f"*/*/{_FOLDER}"))


def set_aside(root: Path, paths: Sequence[str], folder: Path) -> None:
    """Move files of a work tree into the folder, under the same paths; raise OSError.

    What lies beyond a link is not the work tree's, and stays. A file that is there already is kept.
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
        except OSError:  # another disk, or a folder made read-only: the reset removes the source
            shutil.copy2(source, target)
