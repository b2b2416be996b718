"""Types of values written with a unit or in a special form."""

from typing import Annotated, Any

from pex_tui.core.model.plan import LockMode
from pex_tui.core.model.run_rules import MOST_SLOTS
from pex_tui.planning.fields import quantities, readers
from pex_tui.planning.fields.kinds import Finding, Findings, Leaf, ListOf
from pex_tui.planning.fields.problems import Path as Place

_WORD = {"type": "string", "minLength": 1}
_TEXT = {"type": ["string", "number", "boolean"]}
_COMMAND = {"anyOf": [_WORD, {"type": "array", "items": _TEXT, "minItems": 1}]}
_COMMANDS = {"anyOf": [_WORD, {"type": "array", "items": _COMMAND}]}
_MODES = {"type": "object", "additionalProperties": {"enum": [mode.value for mode in LockMode]}}
_LOCKS = {
    "anyOf": [_MODES, {"type": "array", "items": {"anyOf": [{"type": "string"}, _MODES]}}],
}
_ID = {"type": "string", "pattern": readers.ID_PATTERN, "maxLength": readers.MAX_ID_LENGTH}
_DURATION = {"type": ["string", "number"], "pattern": quantities.DURATION_PATTERN}
_SIZE = {"type": "string", "pattern": quantities.SIZE_PATTERN}
_PERCENT = {"type": "string", "pattern": quantities.PERCENT_PATTERN}
_SLOTS = {"type": "integer", "minimum": 1, "maximum": MOST_SLOTS}
_ENV = {"type": "object", "additionalProperties": _TEXT}

Text = Annotated[str, Leaf(readers.read_text, _TEXT)]
WordText = Annotated[str, Leaf(readers.read_word, _WORD)]
TaskIdText = Annotated[str, Leaf(readers.read_id, _ID)]
Folder = Annotated[str, Leaf(readers.read_folder, _WORD)]
Glob = Annotated[str, Leaf(readers.read_glob, _WORD)]
Revision = Annotated[str, Leaf(readers.read_revision, _WORD)]
CommandText = Annotated[tuple[str, ...], Leaf(readers.read_command, _COMMAND, list)]
Commands = Annotated[tuple[tuple[str, ...], ...], Leaf(readers.read_commands, _COMMANDS, list)]
Locks = Annotated[tuple[tuple[str, LockMode], ...], Leaf(readers.read_locks, _LOCKS, list)]
Env = Annotated[tuple[tuple[str, str], ...], Leaf(readers.read_env, _ENV, dict)]
Slots = Annotated[int, Leaf(readers.read_slots, _SLOTS, limits=f"1 to {MOST_SLOTS}")]
Duration = Annotated[float, Leaf(readers.read_duration, _DURATION, quantities.format_duration)]
PositiveDuration = Annotated[
    float, Leaf(readers.read_positive_duration, _DURATION, quantities.format_duration)
]
Size = Annotated[int, Leaf(readers.read_size, _SIZE, quantities.format_size)]
Percent = Annotated[float, Leaf(readers.read_percent, _PERCENT, quantities.format_percent)]


class _WriteSet(ListOf, frozen=True):
    """Globs; an empty list differs from None, the unknown set."""

    def read(self, value: Any, place: Place, findings: Findings) -> Any:
        """Return the globs, or record each that is wrong."""
        if value is None:
            text = "it is empty. Write [] for a task that changes nothing, or drop the key."
            findings.append(Finding(place, text))
            return None
        return ListOf.read(self, value, place, findings)

    def written(self, value: Any) -> Any:
        """Return the globs as a user writes them."""
        return None if value is None else ListOf.written(self, value)


WriteSet = Annotated[tuple[str, ...] | None, _WriteSet(Leaf(readers.read_glob, _WORD))]
