"""Install files into a checkout: all or none, replacing others only on request."""

import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from pex_tui.adapters.git.plumbing.repository import shown_path
from pex_tui.core.formatting import counted
from pex_tui.core.sanitize import clean
from pex_tui.errors import UserError


class Fate(StrEnum):
    """The action for one file."""

    WROTE = "wrote"
    REPLACED = "replaced"
    KEPT = "kept"
    UNCHANGED = "unchanged"


class WantedFile(Struct, frozen=True):
    """A file to put into a checkout; `path` is relative to its top."""

    path: str
    content: bytes


class Placement(Struct, frozen=True):
    """The action for a wanted file; `target` is its place with symbolic links resolved."""

    file: WantedFile
    fate: Fate
    target: Path


class _InTheWayError(Exception):
    """The reason a file cannot be written to its place."""


def survey(top: Path, files: Sequence[WantedFile], *, force: bool) -> tuple[Placement, ...]:
    """Return the action for each file below `top`, a resolved path; nothing is written.

    Raises UserError with everything that is in the way.
    """
    placements: list[Placement] = []
    problems: list[str] = []
    for file in files:
        try:
            placements.append(_look(top, file, force=force))
        except _InTheWayError as error:
            problems.append(str(error))
        except (OSError, RuntimeError) as error:  # RuntimeError: a circle of links
            reason = getattr(error, "strerror", None) or "its links form a loop"
            problems.append(f"{file.path}: it can't be read: {reason}.")
    if problems:
        raise UserError(
            f"{counted(len(problems), 'problem')} in {shown_path(top)}; nothing was written. "
            "Fix that, then run pex-tui init again.",
            problems=tuple(clean(problem) for problem in problems),
        )
    return tuple(placements)


def place(placements: Sequence[Placement]) -> None:
    """Write the files; if one fails, restore everything and raise UserError.

    New names are created exclusively: a file that appeared after the survey is not overwritten.
    """
    wanted = [each for each in placements if each.fate in {Fate.WROTE, Fate.REPLACED}]
    with ExitStack() as leftovers, ExitStack() as undo:
        staged = []
        for placement in wanted:
            with _told(placement):
                staged.append((placement, _stage(placement, undo)))
        for placement, temporary in staged:
            with _told(placement):
                _put(placement, temporary, undo, leftovers)
        undo.pop_all()


def _look(top: Path, file: WantedFile, *, force: bool) -> Placement:
    place = top / file.path
    for folder in reversed(place.parents):
        if folder.is_relative_to(top) and os.path.lexists(folder) and not folder.is_dir():
            what = "a dangling link" if folder.is_symlink() else "a file"
            raise _InTheWayError(
                f"{file.path}: {folder.relative_to(top)} is {what}, not a folder. Move it away."
            )
    target = place.resolve()
    is_there = place.exists()
    if place.is_symlink() and not is_there:
        raise _InTheWayError(f"{file.path}: this is a dangling link. Remove it.")
    if is_there and not place.is_file():
        what = "a folder" if place.is_dir() else "not a plain file"
        raise _InTheWayError(f"{file.path}: this is {what}. Move it away.")
    is_outside = not target.is_relative_to(top)
    if is_there and not is_outside and _holds(target, file.content):
        return Placement(file, Fate.UNCHANGED, target)
    if is_there and not force:
        return Placement(file, Fate.KEPT, target)
    if is_outside:
        raise _InTheWayError(
            f"{file.path}: a link leads out of the repository, to {shown_path(target)}. "
            "Remove the link."
        )
    folder = next(parent for parent in target.parents if parent.exists())
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _InTheWayError(
            f"{file.path}: there is no permission to write in {shown_path(folder)}."
        )
    return Placement(file, Fate.REPLACED if is_there else Fate.WROTE, target)


def _holds(path: Path, content: bytes) -> bool:
    """Return whether the file has exactly this content; False if it is unreadable."""
    with suppress(PermissionError):
        return path.stat().st_size == len(content) and path.read_bytes() == content
    return False


def _stage(placement: Placement, undo: ExitStack) -> Path:
    """Write the content to a file beside its place, creating the necessary folders."""
    target = placement.target
    missing = [folder for folder in target.parents if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir()
        undo.callback(_remove_folder, folder)
    temporary = _beside(target)
    with temporary.open("xb") as stream:
        undo.callback(temporary.unlink, missing_ok=True)
        stream.write(placement.file.content)
        stream.flush()
        os.fsync(stream.fileno())
    if placement.fate is Fate.REPLACED:
        shutil.copymode(target, temporary)
    return temporary


def _put(placement: Placement, temporary: Path, undo: ExitStack, leftovers: ExitStack) -> None:
    target = placement.target
    if placement.fate is Fate.REPLACED:
        former = _beside(target)
        leftovers.callback(former.unlink, missing_ok=True)
        shutil.copy2(target, former)
        undo.callback(former.replace, target)
    else:
        target.open("xb").close()
        undo.callback(target.unlink)
    temporary.replace(target)


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}")


def _remove_folder(folder: Path) -> None:
    with suppress(OSError):  # somebody else has put something there meanwhile
        folder.rmdir()


@contextmanager
def _told(placement: Placement) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{clean(placement.file.path)}: it can't be written: {error.strerror}. "
            "Nothing was written."
        ) from error
