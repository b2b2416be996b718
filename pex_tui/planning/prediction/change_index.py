"""An inverted index of a repository's past changes, by words and files."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable
from typing import TypeAlias

from msgspec import Struct, field

from pex_tui.planning.prediction.words import path_words, words

HALF_LIVES = (30.0, 300.0)  # changes after which a file's heat has halved
COUNT_BITS = 4  # lowest bits of a posting: how often the word occurs
_MOST_FILES = 60  # a larger change says little about any one of its files
_MOST_COUNTED = 2**COUNT_BITS - 1
_LONGEST_TEXT = 2**16 - 1

Postings: TypeAlias = "dict[str, array[int]]"


class Change(Struct, frozen=True):
    """One commit: its message, the paths it wrote, and those it deleted."""

    text: str
    files: tuple[str, ...]
    gone: tuple[str, ...] = ()


class Heat(Struct):
    """Frequency and recency of a file's changes.

    `levels` are decayed by each half-life, as of the change numbered `at`.
    """

    levels: tuple[float, ...] = (0.0,) * len(HALF_LIVES)
    at: int = 0
    touches: int = 0

    def levels_at(self, now: int) -> tuple[float, ...]:
        """Return the levels decayed to the change of that number."""
        age = now - self.at
        return tuple(
            level * 0.5 ** (age / half) for level, half in zip(self.levels, HALF_LIVES, strict=True)
        )

    def touch(self, now: int) -> None:
        """Add one change."""
        self.levels = tuple(level + 1.0 for level in self.levels_at(now))
        self.at = now
        self.touches += 1


class ChangeIndex(Struct):
    """Changes and files by number, oldest first, and postings by word.

    A posting is a change's number, with the number of occurrences of the word in its lowest bits.
    """

    postings: Postings = field(default_factory=dict)
    lengths: array[int] = field(default_factory=lambda: array("H"))  # of each text, in words
    files_of: list[array[int]] = field(default_factory=list)  # of each change
    changes_of: list[array[int]] = field(default_factory=list)  # of each file
    paths: list[str] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)  # of the files, by path
    heats: list[Heat] = field(default_factory=list)
    named: Postings = field(default_factory=dict)  # files by the words of their names
    below: Postings = field(default_factory=dict)  # files by the words of their folders
    present: set[int] = field(default_factory=set)  # files that exist

    def __len__(self) -> int:
        return len(self.lengths)

    def add(self, change: Change) -> None:
        """Add the next change."""
        number = len(self)
        counts = Counter(words(change.text))
        for word, count in counts.items():
            posting = number << COUNT_BITS | min(count, _MOST_COUNTED)
            self.postings.setdefault(word, array("I")).append(posting)
        self.lengths.append(min(sum(counts.values()), _LONGEST_TEXT))
        touched = [self.file(path) for path in change.files]
        gone = [self.file(path) for path in change.gone]
        for one in touched:
            self.heats[one].touch(number)
        self.present.update(touched)
        self.present.difference_update(gone)
        told = touched + gone
        self.files_of.append(array("I", told if len(told) <= _MOST_FILES else ()))
        for one in self.files_of[-1]:
            self.changes_of[one].append(number)

    def file(self, path: str) -> int:
        """Return the number of a file, assigning one to a new path."""
        known = self.numbers.get(path)
        if known is not None:
            return known
        number = self.numbers[path] = len(self.paths)
        self.paths.append(path)
        self.heats.append(Heat())
        self.changes_of.append(array("I"))
        name, folders = path_words(path)
        for found, places in ((name, self.named), (folders, self.below)):
            for word in found:
                places.setdefault(word, array("I")).append(number)
        return number

    def keep_only(self, tracked: Iterable[str]) -> None:
        """Mark exactly these files as existing."""
        self.present = {self.file(path) for path in tracked}

    def rarity(self, word: str) -> float:
        """Return the word's inverse document frequency (BM25); 0 for an unknown word."""
        found = self.postings.get(word)
        if found is None:
            return 0.0
        return math.log(1.0 + (len(self) - len(found) + 0.5) / (len(found) + 0.5))
