"""The types of settings that are written with a unit, or in a form of their own."""

from typing import Annotated, Any

from pex_tui.planning.fields import quantities, readers
from pex_tui.settings.kinds import Leaf, choice

_TEXT = {"type": "string", "minLength": 1}
_DURATION = {"type": ["string", "number"], "pattern": quantities.DURATION_PATTERN}
_SIZE = {"type": "string", "pattern": quantities.SIZE_PATTERN}
_RATE = {"type": "string", "pattern": f"{quantities.SIZE_PATTERN[:-1]}/s$"}
_PERCENT = {"type": "string", "pattern": quantities.PERCENT_PATTERN}
_COMMAND = {
    "anyOf": [
        _TEXT,
        {"type": "array", "items": {"type": ["string", "number", "boolean"]}, "minItems": 1},
    ]
}
_NAMES_OF_A_PAIR = 2
_PLACES = choice(("auto", "worktree", "clone"))


def _read_isolation(value: Any) -> Any:
    if value == "shared":
        raise ValueError('"shared" suits single tasks that change nothing. Write worktree or auto')
    return _PLACES.reader(value)


def _read_sandbox(value: Any) -> Any:
    if value != "none":
        raise ValueError(f'"{value}" is not in this version, which has no sandbox. Write none')
    return value


def _read_pair(value: Any) -> tuple[str, ...]:
    names = tuple(readers.read_word(name) for name in readers.read_list(value))
    if len(names) != _NAMES_OF_A_PAIR:
        raise ValueError('each entry is a pair of agents. Write ["one-agent", "other-agent"]')
    return names


def _rate_text(value: int) -> str:
    return f"{quantities.format_size(value)}/s"


Word = Annotated[str, Leaf(readers.read_word, _TEXT)]
Glob = Annotated[str, Leaf(readers.read_glob, _TEXT)]
Command = Annotated[tuple[str, ...], Leaf(readers.read_command, _COMMAND, list)]
Duration = Annotated[float, Leaf(readers.read_duration, _DURATION, quantities.format_duration)]
PositiveDuration = Annotated[
    float, Leaf(readers.read_positive_duration, _DURATION, quantities.format_duration)
]
Size = Annotated[int, Leaf(readers.read_size, _SIZE, quantities.format_size)]
Rate = Annotated[int, Leaf(readers.read_rate, _RATE, _rate_text)]
Percent = Annotated[float, Leaf(readers.read_percent, _PERCENT, quantities.format_percent)]
ISOLATION = Leaf(_read_isolation, _PLACES.described)
SANDBOX = Leaf(_read_sandbox, {"enum": ["none"]})
PAIR = Leaf(_read_pair, {"type": "array", "items": _TEXT, "minItems": 2, "maxItems": 2}, list)
