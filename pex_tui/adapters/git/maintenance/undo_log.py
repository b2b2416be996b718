"""The undo log: what commands removed, kept for 30 days under refs and in folders of its own.

An entry is a folder with `record.json`, the files that were removed, and a run's rows of the
journal; objects are under `refs/pex/_undo/<id>/`. The record is written before anything is removed,
so that an interrupted command loses nothing: what exists of an entry can be restored.
"""

import asyncio
import json
import os
import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct, ValidationError, convert, to_builtins

from pex_tui.adapters.git.plumbing.filesystem import remove_tree
from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.adapters.git.plumbing.ref_writer import update_refs
from pex_tui.adapters.system.whole_file import write_whole
from pex_tui.core.model.run_refs import UNDO
from pex_tui.core.undo_values import UndoEntry, UndoStage
from pex_tui.engine.run_paths import RunPaths
from pex_tui.errors import UserError

_RECORD, _FILES, _ROWS = "record.json", "files", "journal.json"
Rows = list[list[object]]


class UndoLog(Struct, frozen=True):
    """The undo log of one repository; the caller holds the engine lock to change it."""

    git: Git
    places: RunPaths

    def new_id(self) -> str:
        """Return an unused id."""
        while (found := secrets.token_hex(3)) and self.folder(found).exists():
            pass
        return found

    def entries(self) -> list[UndoEntry]:
        """Return all entries, newest first; unreadable ones are left out."""
        found = [_read(record) for record in self.places.undo.glob(f"*/{_RECORD}")]
        return sorted((one for one in found if one is not None), key=lambda one: -one.at)

    def find(self, wanted: str) -> UndoEntry:
        """Return the entry with that id or prefix; raise UserError."""
        entries = self.entries()
        matching = [one for one in entries if one.id == wanted] or [
            one for one in entries if wanted and one.id.startswith(wanted)
        ]
        if len(matching) != 1:
            told = (
                f"More than one entry begins with {wanted!r}."
                if matching
                else f"There is no entry {wanted!r}, or it is restored already."
            )
            raise UserError(f"{told} `pex-tui recover` lists them.")
        return matching[0]

    def pending(self) -> list[UndoEntry]:
        """Return the entries whose command has begun and was not seen to end, oldest first."""
        return [one for one in reversed(self.entries()) if one.stage is not UndoStage.KEPT]

    def write(self, entry: UndoEntry) -> None:
        """Write the entry's record; raise OSError."""
        self.folder(entry.id).mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self.folder(entry.id) / _RECORD, json.dumps(to_builtins(entry)).encode())

    async def keep_refs(self, entry: UndoEntry, *, removes: bool) -> None:
        """Put the entry's objects under refs and, with `removes`, delete theirs, all at once.

        Raises GitError.
        """
        lines = [f"update {_kept(entry, ref)} {commit}\n" for ref, commit in entry.refs]
        lines += [f"delete {ref}\n" for ref, _ in entry.refs if removes]
        if lines:
            await update_refs(self.git, "".join(lines))

    def take_file(self, entry: UndoEntry, path: Path) -> None:
        """Move a file or folder of the state directory into the entry; raise OSError."""
        place = self._place(entry, path)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.rename(place)

    def copy_file(self, entry: UndoEntry, path: Path) -> None:
        """Copy a file into the entry that is about to be replaced; raise OSError."""
        place = self._place(entry, path)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, place)

    def write_rows(self, entry: UndoEntry, rows: Rows) -> None:
        """Store a run's rows of the journal; raise OSError."""
        write_whole(self.folder(entry.id) / _ROWS, json.dumps(rows).encode())

    def read_rows(self, entry: UndoEntry) -> Rows:
        """Return the stored rows; none if there are none."""
        try:
            return list(json.loads((self.folder(entry.id) / _ROWS).read_bytes()))
        except (OSError, ValueError):
            return []

    async def restore_refs(self, entry: UndoEntry) -> tuple[str, ...]:
        """Restore the refs, beside one that exists by now; return their names. Raises GitError."""
        kept = await self._listed(f"{UNDO}/{entry.id}/")
        there = await self._listed(*(ref for ref, _ in entry.refs)) if entry.refs else {}
        lines, restored = [], []
        for ref, commit in entry.refs:
            if _kept(entry, ref) not in kept or there.get(ref) == commit:
                continue
            name = f"{ref}-recovered-{entry.id}" if ref in there else ref
            lines.append(f"update {name} {commit}\n")
            restored.append(name)
        if lines:
            await update_refs(self.git, "".join(lines))
        return tuple(restored)

    def restore_files(self, entry: UndoEntry) -> tuple[Path, ...]:
        """Move the files back, beside what exists by now; return their places. Raises OSError."""
        restored = []
        for name in entry.files:
            path = Path(name)
            place = self._place(entry, path)
            if not os.path.lexists(place):
                continue
            target = path
            if os.path.lexists(path):
                target = path.with_name(f"{path.name}.recovered-{entry.id}")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(place, target)  # which may be on another disk
            restored.append(target)
        return tuple(restored)

    async def drop(self, entries: Iterable[UndoEntry]) -> None:
        """Delete entries for good; raise GitError, OSError."""
        for entry in entries:
            refs = await self._listed(f"{UNDO}/{entry.id}/")
            lines = "".join(f"delete {ref}\n" for ref in refs)
            if lines:
                await update_refs(self.git, lines)
            await asyncio.to_thread(remove_tree, self.folder(entry.id))

    def expired(self, now: float) -> list[UndoEntry]:
        """Return the entries whose time has passed; `now` is in absolute seconds."""
        return [one for one in self.entries() if one.until <= now and one.stage is UndoStage.KEPT]

    def folder(self, name: str) -> Path:
        """Return an entry's folder."""
        return self.places.undo / name

    def _place(self, entry: UndoEntry, path: Path) -> Path:
        at = entry.files.index(str(path))
        return self.folder(entry.id) / _FILES / f"{at}-{path.name}"

    async def _listed(self, *patterns: str) -> dict[str, str]:
        listing = await self.git.text(
            "for-each-ref", "--format=%(objectname) %(refname)", *patterns
        )
        pairs = (line.split(" ", 1) for line in listing.split("\n") if line)
        return {name: commit for commit, name in pairs}


def _kept(entry: UndoEntry, ref: str) -> str:
    return f"{UNDO}/{entry.id}/{ref.removeprefix('refs/')}"


def _read(record: Path) -> UndoEntry | None:
    try:
        return convert(json.loads(record.read_bytes()), UndoEntry)
    except (OSError, ValueError, ValidationError):
        return None
