"""Kinds of values that users write: parsing, writing and JSON Schema.

A kind reads plain data (text, None, lists, dicts) and records every error with its place.
"""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from msgspec import Struct

from pex_tui.planning.fields.problems import Path as Place
from pex_tui.planning.fields.readers import read_list
from pex_tui.planning.fields.validation_text import out_of_range, unknown_choice, wrong_type


class Finding(Struct, frozen=True):
    """An error of the value at a place, or of one key of that mapping."""

    place: Place
    text: str
    key: str | None = None

    @property
    def path(self) -> Place:
        """Return the place of the value, or of the key."""
        return self.place if self.key is None else (*self.place, self.key)


Findings = list[Finding]

_BOOLEANS = dict.fromkeys(("true", "1", "on", "yes", "y", "t"), True) | dict.fromkeys(
    ("false", "0", "off", "no", "n", "f"), False
)


class Kind(Protocol):
    """A kind of value."""

    def read(self, value: Any, place: Place, findings: Findings) -> Any:
        """Return the parsed value, or record what is wrong with it."""

    def written(self, value: Any) -> Any:
        """Return the value as plain data, as a user writes it."""

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of what the user may write."""


class Leaf(Struct, frozen=True, eq=False):
    """A single value; its reader raises ValueError with a message, `limits` describe its range."""

    reader: Callable[[Any], Any]
    described: dict[str, Any]
    writer: Callable[[Any], Any] = lambda value: value
    limits: str = ""

    def read(self, value: Any, place: Place, findings: Findings) -> Any:
        """Return the value, or record what is wrong with it."""
        try:
            return self.reader(value)
        except ValueError as error:
            findings.append(Finding(place, f"{error}."))
            return None

    def written(self, value: Any) -> Any:
        """Return the value as a user writes it."""
        return self.writer(value)

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return dict(self.described)


class OrNone(Struct, frozen=True):
    """A value, or null."""

    inner: Kind

    def read(self, value: Any, place: Place, findings: Findings) -> Any:
        """Return the value, or None."""
        return None if value is None else self.inner.read(value, place, findings)

    def written(self, value: Any) -> Any:
        """Return the value as a user writes it."""
        return None if value is None else self.inner.written(value)

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {"anyOf": [self.inner.schema(), {"type": "null"}]}


class ListOf(Struct, frozen=True):
    """A list of values, which becomes a tuple."""

    inner: Kind

    def read(self, value: Any, place: Place, findings: Findings) -> Any:
        """Return the values, or record each that is wrong."""
        try:
            entries = read_list(value)
        except ValueError as error:
            findings.append(Finding(place, f"{error}."))
            return ()
        return tuple(
            self.inner.read(entry, (*place, index), findings) for index, entry in enumerate(entries)
        )

    def written(self, value: Any) -> Any:
        """Return the values as a user writes them."""
        return [self.inner.written(entry) for entry in value]

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {"type": "array", "items": self.inner.schema()}


class MapOf(Struct, frozen=True):
    """Values by user-defined names."""

    inner: Kind

    def read(self, value: Any, place: Place, findings: Findings) -> Any:
        """Return the values by name, or record each that is wrong."""
        if not isinstance(value, dict):
            findings.append(Finding(place, f"{wrong_type(value, 'a mapping')}."))
            return {}
        return {name: self.inner.read(one, (*place, name), findings) for name, one in value.items()}

    def written(self, value: Any) -> Any:
        """Return the values as a user writes them."""
        return {name: self.inner.written(one) for name, one in value.items()}

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {"type": "object", "additionalProperties": self.inner.schema()}


def boolean() -> Leaf:
    """Return the kind of booleans."""
    return Leaf(_read_boolean, {"type": "boolean"})


def choice(names: Sequence[str], make: Callable[[str], Any] = str) -> Leaf:
    """Return the kind of a choice of names; `make` turns a name into the value."""

    def read(value: Any) -> Any:
        if value not in names:
            raise ValueError(unknown_choice(value, names))
        return make(value)

    return Leaf(read, {"enum": list(names)}, str)


def whole(low: int, high: int | None = None) -> Leaf:
    """Return the kind of integers in a range, bounds included."""

    def read(value: Any) -> int:
        try:
            number = int(re.sub(r"\.0+$", "", str(value).strip()))
        except ValueError:
            raise ValueError(wrong_type(value, "a whole number")) from None
        _check_range(value, number, low, high)
        return number

    bounds = {"minimum": low} if high is None else {"minimum": low, "maximum": high}
    limits = (
        f"{low} or more" if high is None else f"{low} {'or' if high - low == 1 else 'to'} {high}"
    )
    return Leaf(read, {"type": "integer", **bounds}, limits=limits)


def nonnegative() -> Leaf:
    """Return the kind of non-negative numbers."""

    def read(value: Any) -> float:
        number = _finite(value)
        _check_range(value, number, 0, None)
        return number

    return Leaf(read, {"type": "number", "minimum": 0}, limits="0 or more")


def fraction() -> Leaf:
    """Return the kind of numbers above zero and up to one."""

    def read(value: Any) -> float:
        number = _finite(value)
        if number <= 0:
            raise ValueError(out_of_range(value, "more than", 0))
        _check_range(value, number, 0, 1)
        return number

    described = {"type": "number", "exclusiveMinimum": 0, "maximum": 1}
    return Leaf(read, described, limits="above 0, up to 1")


def _read_boolean(value: Any) -> bool:
    found = _BOOLEANS.get(str(value).lower())
    if found is None:
        raise ValueError(wrong_type(value, "true or false"))
    return found


def _finite(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(wrong_type(value, "a number"))
    return number


def _check_range(value: Any, number: float, low: float, high: float | None) -> None:
    if number < low:
        raise ValueError(out_of_range(value, "at least", low))
    if high is not None and number > high:
        raise ValueError(out_of_range(value, "at most", high))
