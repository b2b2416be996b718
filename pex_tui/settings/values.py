"""Kinds of values used only in settings."""

from typing import Annotated, Any

from pex_tui.core.allowed_hosts import HostPattern
from pex_tui.planning.fields import quantities, readers
from pex_tui.planning.fields.kinds import Leaf, choice

_TEXT = {"type": "string", "minLength": 1}
_RATE = {"type": "string", "pattern": f"{quantities.SIZE_PATTERN[:-1]}/s$"}
_NAMES_OF_A_PAIR = 2
_PLACES = choice(("auto", "worktree", "clone"))


def _read_isolation(value: Any) -> Any:
    if value == "shared":
        raise ValueError('"shared" suits single tasks that change nothing. Write worktree or auto')
    return _PLACES.reader(value)


def _read_absolute(value: Any) -> str:
    path = readers.read_word(value)
    if not path.startswith(("/", "~/")) and path != "~":
        raise ValueError(f'"{path}" is relative. Write it from / or ~')
    return path


def _read_pair(value: Any) -> tuple[str, ...]:
    names = tuple(readers.read_word(name) for name in readers.read_list(value))
    if len(names) != _NAMES_OF_A_PAIR:
        raise ValueError('each entry is a pair of agents. Write ["one-agent", "other-agent"]')
    return names


def _read_host(value: Any) -> str:
    text = readers.read_word(value)
    HostPattern.parse(text)
    return text


def _rate_text(value: int) -> str:
    return f"{quantities.format_size(value)}/s"


Rate = Annotated[int, Leaf(readers.read_rate, _RATE, _rate_text)]
Host = Annotated[str, Leaf(_read_host, _TEXT)]
ISOLATION = Leaf(_read_isolation, _PLACES.described)
AbsolutePath = Annotated[str, Leaf(_read_absolute, {"type": "string", "pattern": "^[/~]"})]
PAIR = Leaf(_read_pair, {"type": "array", "items": _TEXT, "minItems": 2, "maxItems": 2}, list)
