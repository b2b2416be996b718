"""A conflict being resolved by a person: its files, their hunks, and the choices so far."""

from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from pex_tui.core.model.conflict import ConflictKind, Decision
from pex_tui.core.textmerge.diff3 import (
    Choice,
    Chunk,
    Origin,
    chunks,
    open_chunks,
    result,
    split_lines,
)
from pex_tui.core.textmerge.syntax_check import syntax_of
from pex_tui.engine.conflict_sides import ConflictSides

ResultLine = tuple[str, Origin, int]
_RENAMED = "rename/rename"


class FileMerge(Struct, frozen=True):
    """One conflicting path. `parts` is None if only a whole side can be taken.

    `whole` is the side then taken, `edited` a person's own text, which overrides every choice.
    """

    sides: ConflictSides
    parts: tuple[Chunk, ...] | None
    choices: Mapping[int, Choice] = field(default_factory=dict)
    whole: Choice | None = None
    edited: str | None = None

    @property
    def is_renamed(self) -> bool:
        """True if it is one of the names of a renamed file."""
        return self.parts is None and self.sides.kind == _RENAMED

    @property
    def may_edit(self) -> bool:
        """True if it is text, which a person may edit."""
        is_protected = self.sides.kind == ConflictKind.PROTECTED
        return self.parts is not None or (is_protected and self.sides.merged is not None)

    @property
    def open_hunks(self) -> tuple[int, ...]:
        """The undecided chunks; a whole file counts as one."""
        if self.edited is not None:
            return ()
        if self.parts is None:
            return (0,) if self.whole is None else ()
        return open_chunks(self.parts, self.choices)

    @property
    def conflicts(self) -> tuple[int, ...]:
        """All chunks in conflict, decided or not."""
        if self.parts is None:
            return (0,)
        return tuple(number for number, part in enumerate(self.parts) if part.is_conflict)

    @property
    def lines(self) -> tuple[ResultLine, ...]:
        """The result so far; empty for a whole file that is binary or deleted."""
        if self.edited is not None:
            return tuple((line, Origin.BASE, 0) for line in split_lines(self.edited))
        if self.parts is not None:
            return result(self.parts, self.choices)
        return ()

    @property
    def text(self) -> str:
        """The result as text."""
        return "".join(line for line, _, _ in self.lines)

    @property
    def markers_left(self) -> tuple[int, ...]:
        """The lines of the result, from 1, that are conflict markers."""
        content = self.contents() if self.parts is not None or self.edited is not None else None
        return () if content is None else self.sides.markers_left(content)

    @property
    def verdict(self) -> str:
        """A verdict: the result parses, does not parse, or is undecided."""
        if self.parts is None and self.edited is None:
            return "taken whole" if self.whole else "choose a whole side"
        left = len(self.open_hunks)
        if left:
            return f"{left} choice{'' if left == 1 else 's'} left"
        if self.markers_left:
            return f"conflict markers are left in line {self.markers_left[0]}"
        syntax = syntax_of(self.sides.path, self.text)
        is_proposal = self.edited is not None and self.edited == _text(self.sides.proposal)
        return f"{self.sides.proposed} · {syntax}" if is_proposal else syntax

    def choose(self, hunk: int, choice: Choice) -> "FileMerge":
        """Decide a hunk, or the whole file if it has none; BOTH needs hunks."""
        if self.parts is None:
            return self if choice is Choice.BOTH else replace(self, whole=choice)
        return replace(self, choices={**self.choices, hunk: choice}, edited=None)

    def contents(self) -> bytes | None:
        """Return the content of the decided path; None removes it."""
        if self.edited is not None or self.parts is not None:
            return self.text.encode("utf-8", "surrogateescape")
        return self.sides.ours if self.whole is Choice.OURS else self.sides.theirs


class ManualResolution(Struct, frozen=True):
    """All files of a conflict, and the current file and hunk."""

    files: tuple[FileMerge, ...]
    file: int = 0
    hunk: int = 0
    before: "ManualResolution | None" = None

    @property
    def current(self) -> FileMerge:
        """The file that is shown."""
        return self.files[self.file]

    @property
    def left(self) -> int:
        """The number of open choices."""
        return sum(len(entry.open_hunks) for entry in self.files)

    @property
    def marked(self) -> tuple[FileMerge, ...]:
        """The files whose result still has conflict markers."""
        return tuple(entry for entry in self.files if entry.markers_left)

    def choose(self, choice: Choice) -> "ManualResolution":
        """Decide the hunk that is shown, and go to the next open one.

        The names of a file that both sides renamed are decided together: otherwise the file could
        exist twice, or not at all.
        """
        if not self.current.is_renamed:
            return self._with(self.current.choose(self.hunk, choice)).to_open()
        files = tuple(
            entry.choose(0, choice) if entry.is_renamed else entry for entry in self.files
        )
        return replace(self, files=files, before=self).to_open()

    def edit(self, text: str) -> "ManualResolution":
        """Take a person's own text for the file."""
        return self._with(replace(self.current, edited=text)).to_open()

    def undo(self) -> "ManualResolution":
        """Return the resolution before the last choice."""
        return self.before or self

    def turn_hunk(self, step: int) -> "ManualResolution":
        """Show the next or previous conflict of this file, wrapping around."""
        hunks = self.current.conflicts or (0,)
        at = hunks.index(self.hunk) if self.hunk in hunks else 0
        return replace(self, hunk=hunks[(at + step) % len(hunks)])

    def turn_file(self, step: int) -> "ManualResolution":
        """Show another file."""
        file = (self.file + step) % len(self.files)
        return replace(self, file=file, hunk=_first(self.files[file]))

    def to_file(self, entry: FileMerge) -> "ManualResolution":
        """Show this file."""
        return replace(self, file=self.files.index(entry), hunk=_first(entry))

    def to_open(self) -> "ManualResolution":
        """Show the next undecided hunk, in this file or another."""
        for step in range(len(self.files)):
            file = (self.file + step) % len(self.files)
            if self.files[file].open_hunks:
                return replace(self, file=file, hunk=self.files[file].open_hunks[0])
        return self

    @property
    def decision(self) -> Decision:
        """The whole side taken in every file, modes included, else a decision by contents."""
        taken = {None if entry.edited is not None else entry.whole for entry in self.files}
        side = taken.pop() if len(taken) == 1 else None
        return Decision.EDITED if side is None else Decision(side)

    def contents(self) -> dict[str, bytes | None]:
        """Return the content of every path."""
        return {entry.sides.path: entry.contents() for entry in self.files}

    def _with(self, entry: FileMerge) -> "ManualResolution":
        files = (*self.files[: self.file], entry, *self.files[self.file + 1 :])
        return replace(self, files=files, before=self)


def begin_resolution(sides: tuple[ConflictSides, ...]) -> ManualResolution:
    """Begin with the conflict as git left it, and earlier resolutions as proposals to undo."""
    files = tuple(_read(side) for side in sides)
    resolution = ManualResolution(files, 0, _first(files[0]) if files else 0)
    proposed = tuple(
        entry if entry.parts is None else replace(entry, edited=_text(entry.sides.proposal))
        for entry in files
    )
    if proposed == files:
        return resolution
    return replace(resolution, files=proposed, before=resolution).to_open()


def _first(entry: FileMerge) -> int:
    return next(iter(entry.open_hunks or entry.conflicts), 0)


def _read(side: ConflictSides) -> FileMerge:
    texts = [_text(raw) for raw in (side.base, side.ours, side.theirs)]
    base, ours, theirs = texts
    if side.merged is None or ours is None or theirs is None:
        return FileMerge(side, None)
    if side.base is not None and base is None:
        return FileMerge(side, None)
    parts = chunks(
        None if base is None else split_lines(base), split_lines(ours), split_lines(theirs)
    )
    return FileMerge(side, parts if any(part.is_conflict for part in parts) else None)


def _text(raw: bytes | None) -> str | None:
    """Return a side as text; None if there is none, or it is not text."""
    if raw is None or b"\0" in raw:
        return None
    return raw.decode("utf-8", "surrogateescape")
