"""Codec of events to JSON objects, shared by the journal's rows and the JSON Lines stream.

An object is `{"seq", "at", "run", "event": "agent_started", …}` with the event's own fields beside.
Decoding is strict about unknown fields and fills missing ones with their defaults, as older
versions wrote fewer. Rows without a version have version 1.
"""

import typing
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import ValidationError, convert, to_builtins

from pex_tui.core.events import run_events as events
from pex_tui.core.events.run_events import Event
from pex_tui.core.model.ids import RunId
from pex_tui.core.model.semantics import Semantics

VERSION = 2
"""The version of the objects below; `semantics` has the rule for a change."""

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]


class CodecError(ValueError):
    """An object that is not an event of its version; the message says why."""


def encode(event: Event, seq: int, run: RunId) -> dict[str, Any]:
    """Return the event as a JSON object."""
    return {"seq": seq, "at": event.at, "run": run, **to_builtins(event)}


def decode(written: Mapping[str, Any], version: int = 1) -> Event:
    """Return the event of a JSON object of that version; raise CodecError."""
    if type(version) is not int or not 1 <= version <= VERSION:
        raise CodecError(f"it has version {version!r}, and this one knows {VERSION}")
    try:
        current = dict(written)
        for older in range(version, VERSION):
            current = UPCASTERS[older](current)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise CodecError(f"it is no event of version {version}: {error}") from error
    name = current.get("event")
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise CodecError(f"there is no event {name!r} in this version")
    current.pop("seq", None)
    if kind is not events.RunPlanned:
        current.pop("run", None)
    try:
        return convert(current, kind)
    except (ValidationError, ValueError) as error:  # ValueError: a lone surrogate
        raise CodecError(f"{name}: {error}") from error


_RULES_OF_1 = {"gate_batch": 1, "gate_retries": 0, "speculate": False}
"""The gate's behaviour before there were rules for it."""


def _from_1(written: dict[str, Any]) -> dict[str, Any]:
    """Add the semantics of version 1, which did not record it, and complete its rules."""
    rules = written.get("rules")
    if written.get("event") == "run_planned" and isinstance(rules, dict):
        had_ladder = "sequential_above" in rules
        meant = Semantics.LADDER if had_ladder else Semantics.RERUN_AT_ONCE
        return {"semantics": int(meant)} | written | {"rules": _RULES_OF_1 | rules}
    return written


UPCASTERS: Mapping[int, Upcaster] = {1: _from_1}
"""Upcasters by version; each turns an object of its version into one of the next."""


def event_name(kind: type[Event]) -> str:
    """Return the event's name in JSON: `AgentStarted` is `agent_started`."""
    return str(kind.__struct_config__.tag)


_KINDS: dict[str, type[Event]] = {event_name(kind): kind for kind in typing.get_args(Event)}
