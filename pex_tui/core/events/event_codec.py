"""Events as JSON objects and back: the journal's rows and the JSON Lines stream are one codec.

An object is `{"seq", "at", "run", "event": "agent_started", …}` with the event's own fields beside.
Coders are worked out once for each type from its hints. Decoding is strict about what it doesn't
know and fills in the defaults of fields that are missing, as older versions wrote fewer. What was
written before rows had a version has version 1.
"""

import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from pex_tui.core.events import run_events as events
from pex_tui.core.events.run_events import Event
from pex_tui.core.model.ids import RunId
from pex_tui.core.model.semantics import Semantics

VERSION = 2
"""The version of the objects below; the rule for a change is in `semantics`."""

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

Coder = Callable[[Any], Any]


class CodecError(ValueError):
    """An object that is no event of this version; the text says why."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    read: Coder
    write: Coder
    is_required: bool


def encode(event: Event, seq: int, run: RunId) -> dict[str, Any]:
    """The event as a JSON object."""
    kind = type(event)
    written: dict[str, Any] = {
        "seq": seq,
        "at": event.at,
        "run": run,
        "event": event_name(kind),
    }
    for field in _fields(kind):
        written[field.name] = field.write(getattr(event, field.name))
    return written


def decode(written: Mapping[str, Any], version: int = 1) -> Event:
    """The event of a JSON object of that version; raise CodecError."""
    if version > VERSION:
        raise CodecError(f"it has version {version}, and this one knows {VERSION}")
    current = dict(written)
    for older in range(version, VERSION):
        current = UPCASTERS[older](current)
    name = current.pop("event", None)
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise CodecError(f"there is no event {name!r} in this version")
    known = {field.name for field in _fields(kind)}
    current.pop("seq", None)
    if "run" not in known:
        current.pop("run", None)
    unknown = current.keys() - known
    if unknown:
        raise CodecError(f"{name} has no {', '.join(sorted(unknown))} in this version")
    return typing.cast("Event", _build(kind, current))


_RULES_OF_1 = {"gate_batch": 1, "gate_retries": 0, "speculate": False}
"""What the gate did before there were rules for it."""


def _from_1(written: dict[str, Any]) -> dict[str, Any]:
    """Runs did not tell what their steps mean; the rules that they knew do."""
    rules = written.get("rules")
    if written.get("event") == "run_planned" and isinstance(rules, dict):
        had_ladder = "sequential_above" in rules
        meant = Semantics.LADDER if had_ladder else Semantics.RERUN_AT_ONCE
        return {"semantics": int(meant)} | written | {"rules": _RULES_OF_1 | rules}
    return written


UPCASTERS: Mapping[int, Upcaster] = {1: _from_1}
"""From each older version: what turns its objects into the next version's."""


def event_name(kind: type[Event]) -> str:
    """The event's name in JSON: `AgentStarted` is `agent_started`."""
    return _NAMES[kind]


_NAMES: dict[type[Event], str] = {
    kind: re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
    for kind in typing.get_args(events.Event)
}
_KINDS: dict[str, type[Event]] = {name: kind for kind, name in _NAMES.items()}
_FIELDS: dict[type, tuple[_Field, ...]] = {}


def _fields(kind: type) -> tuple[_Field, ...]:
    if kind not in _FIELDS:
        _FIELDS[kind] = _read_fields(kind)
    return _FIELDS[kind]


def _read_fields(kind: type) -> tuple[_Field, ...]:
    hints = typing.get_type_hints(kind)
    return tuple(
        _Field(
            field.name,
            *_coders(hints[field.name]),
            field.default is MISSING and field.default_factory is MISSING,
        )
        for field in fields(kind)
        if field.init
    )


def _build(kind: type, written: Any) -> Any:
    if not isinstance(written, dict):
        raise CodecError(f"{kind.__name__} is written as an object, not as {written!r}")
    values = {}
    for field in _fields(kind):
        if field.name in written:
            values[field.name] = field.read(written[field.name])
        elif field.is_required:
            raise CodecError(f"{kind.__name__} lacks its {field.name}")
    return kind(**values)


def _take_apart(value: Any) -> dict[str, Any]:
    return {field.name: field.write(getattr(value, field.name)) for field in _fields(type(value))}


def _same(value: Any) -> Any:
    return value


@cache
def _coders(hint: Any) -> tuple[Coder, Coder]:
    """How a value of the type is read and written."""
    if isinstance(hint, typing.NewType):
        return _coders(hint.__supertype__)
    origin = typing.get_origin(hint)
    if origin in {typing.Union, types.UnionType}:
        return _optional(hint)
    if origin is tuple:
        return _tuple(typing.get_args(hint))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return _enum(hint), str
    if isinstance(hint, type) and is_dataclass(hint):
        return (lambda written: _build(hint, written)), _take_apart
    return _plain(hint), _same


def _optional(hint: Any) -> tuple[Coder, Coder]:
    (inner,) = [part for part in typing.get_args(hint) if part is not type(None)]
    read, write = _coders(inner)
    return (
        lambda written: None if written is None else read(written),
        lambda value: None if value is None else write(value),
    )


def _tuple(parts: tuple[Any, ...]) -> tuple[Coder, Coder]:
    if parts[-1] is Ellipsis:
        read, write = _coders(parts[0])
        return (
            lambda written: tuple(read(part) for part in _list(written)),
            lambda value: [write(part) for part in value],
        )
    coders = [_coders(part) for part in parts]
    return (
        lambda written: tuple(
            read(part) for (read, _), part in zip(coders, _list(written, len(parts)), strict=True)
        ),
        lambda value: [write(part) for (_, write), part in zip(coders, value, strict=True)],
    )


def _list(written: Any, length: int | None = None) -> list[Any]:
    if not isinstance(written, list):
        raise CodecError(f"{written!r} is not a list")
    if length is not None and len(written) != length:
        raise CodecError(f"{written!r} is not a list of {length}")
    return written


def _enum(kind: type[StrEnum]) -> Coder:
    def read(written: Any) -> StrEnum:
        try:
            return kind(written)
        except ValueError:
            raise CodecError(f"{written!r} is no {kind.__name__} of this version") from None

    return read


def _plain(kind: Any) -> Coder:
    accepted = (int, float) if kind is float else (kind,)

    def read(written: Any) -> Any:
        if type(written) not in accepted:
            raise CodecError(f"{written!r} is not {kind.__name__}")
        return float(written) if kind is float else written

    return read
