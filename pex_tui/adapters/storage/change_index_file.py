"""Store the index of past changes in a file: a JSON header, then arrays of numbers."""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from msgspec import Struct

from pex_tui.adapters.system.whole_file import write_whole
from pex_tui.core.model.ids import CommitId
from pex_tui.planning.prediction.change_index import ChangeIndex, Heat, Postings

_FORMAT = f"pex-tui changes 1 {sys.byteorder}"
_NUMBER, _SHORT, _REAL = "I", "H", "d"


class StoredIndex(Struct, frozen=True):
    """An index, and the commit up to which it covers the past."""

    index: ChangeIndex
    tip: CommitId


def store_index(path: Path, stored: StoredIndex) -> None:
    """Write the index, replacing the file; raise OSError."""
    index = stored.index
    tables = (index.postings, index.named, index.below)
    header = {
        "format": _FORMAT,
        "tip": stored.tip,
        "paths": index.paths,
        "present": len(index.present),
        "changes": len(index),
        "words": [list(table) for table in tables],
    }
    levels = array(_REAL, (level for heat in index.heats for level in heat.levels))
    numbers = array(_NUMBER, (one for heat in index.heats for one in (heat.at, heat.touches)))
    blocks = [
        *(_ragged(table.values()) for table in tables),
        _ragged(index.files_of),
        index.lengths.tobytes(),
        levels.tobytes(),
        numbers.tobytes(),
        array(_NUMBER, sorted(index.present)).tobytes(),
    ]
    content = b"\n".join([json.dumps(header).encode(), b"".join(blocks)])
    write_whole(path, content, sync=False)


def load_index(path: Path) -> StoredIndex | None:
    """Load the index of a file; None if there is none, or none of this version."""
    try:
        head, _, body = path.read_bytes().partition(b"\n")
        header = json.loads(head)
        if header["format"] != _FORMAT:
            return None
        return StoredIndex(_index(header, _Reader(memoryview(body))), CommitId(header["tip"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _index(header: dict[str, Any], body: _Reader) -> ChangeIndex:
    postings, named, below = (body.postings(words) for words in header["words"])
    files_of = body.ragged(header["changes"])
    paths: list[str] = header["paths"]
    lengths = body.numbers(_SHORT, header["changes"])
    levels = body.numbers(_REAL, 2 * len(paths))
    times = body.numbers(_NUMBER, 2 * len(paths))
    heats = [
        Heat(tuple(levels[at : at + 2]), times[at], times[at + 1])
        for at in range(0, 2 * len(paths), 2)
    ]
    changes_of = [array(_NUMBER) for _ in paths]
    for number, files in enumerate(files_of):
        for file in files:
            changes_of[file].append(number)
    return ChangeIndex(
        postings=postings,
        lengths=lengths,
        files_of=files_of,
        changes_of=changes_of,
        paths=paths,
        numbers={path: number for number, path in enumerate(paths)},
        heats=heats,
        named=named,
        below=below,
        present=set(body.numbers(_NUMBER, header["present"])),
    )


def _ragged(rows: Iterable[array[int]]) -> bytes:
    """Return the lengths of the rows, then the rows."""
    kept = list(rows)
    sizes = array(_NUMBER, (len(row) for row in kept))
    return sizes.tobytes() + b"".join(row.tobytes() for row in kept)


class _Reader(Struct):
    """Reads arrays from a block of bytes, in the order in which they were written."""

    body: memoryview
    at: int = 0

    def numbers(self, kind: str, count: int) -> array[Any]:
        found: array[Any] = array(kind)
        end = self.at + count * found.itemsize
        if end > len(self.body):
            raise ValueError("the file ends too early")
        found.frombytes(self.body[self.at : end])
        self.at = end
        return found

    def ragged(self, count: int) -> list[array[int]]:
        return [self.numbers(_NUMBER, size) for size in self.numbers(_NUMBER, count)]

    def postings(self, words: list[str]) -> Postings:
        return dict(zip(words, self.ragged(len(words)), strict=True))
