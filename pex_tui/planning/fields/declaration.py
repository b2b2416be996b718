"""Declaration of a key of a user's file: its name, type, range, default and help, in one place.

    batch: Annotated[int, whole(1, 20), Key("tasks that are tested together")] = 5

The kind of its values is named in the annotation or follows from the type: `bool`, choices
(`Literal`, `StrEnum`), tuples, dicts, sections, and each of these `| None`. Plans, settings and
agent definitions are parsed by these declarations, and their JSON Schemas are generated from them.
"""

from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, Union, cast, get_args, get_origin

from msgspec import NODEFAULT, Struct
from msgspec.structs import fields

from pex_tui.planning.fields.kinds import (
    Finding,
    Findings,
    Kind,
    Leaf,
    ListOf,
    MapOf,
    OrNone,
    boolean,
    choice,
)
from pex_tui.planning.fields.problems import Path as Place
from pex_tui.planning.fields.validation_text import missing_key, unknown_key, wrong_type


class Key(Struct, frozen=True):
    """A key's help, in one line of Markdown, and example values."""

    help: str = ""
    examples: tuple[Any, ...] = ()


class Section(Struct, frozen=True):
    """The keys of one mapping; the docstring is their help, `see` a page about them."""

    see: ClassVar[str] = ""


class Declared(Struct, frozen=True):
    """One key of a section; NODEFAULT means that it has no default."""

    name: str
    kind: Kind
    key: Key
    default: Any

    @property
    def section(self) -> "SectionOf | None":
        """Return the section that the key stands for, or None for a value."""
        return self.kind if isinstance(self.kind, SectionOf) else None


class SectionOf(Struct, frozen=True):
    """The kind of a section of declared keys."""

    type: type[Section]

    @property
    def keys(self) -> dict[str, Declared]:
        """Return the keys that the section has."""
        return _keys(self.type)

    def read(self, value: Any, place: Place, findings: Findings) -> Any:
        """Return the section with defaults for missing keys, or record all findings."""
        before = len(findings)
        if not isinstance(value, dict):
            findings.append(Finding(place, f"{wrong_type(value, 'a mapping')}."))
            return None
        found = {}
        for name, given in value.items():
            if name in self.keys:
                found[name] = self.keys[name].kind.read(given, (*place, name), findings)
            else:
                findings.append(Finding(place, unknown_key(str(name), self.keys), str(name)))
        for name, one in self.keys.items():
            if one.default is NODEFAULT and name not in value:
                findings.append(Finding((*place, name), missing_key(name)))
        return self.type(**found) if len(findings) == before else None

    def written(self, value: Any) -> Any:
        """Return the section as plain data."""
        return {name: one.kind.written(getattr(value, name)) for name, one in self.keys.items()}

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        properties = {}
        for name, one in self.keys.items():
            properties[name] = one.kind.schema()
            if one.key.help:
                properties[name]["description"] = one.key.help
            if one.section is None and one.default is not NODEFAULT:
                properties[name]["default"] = one.kind.written(one.default)
            if one.key.examples:
                properties[name]["examples"] = list(one.key.examples)
        needed = [name for name, one in self.keys.items() if one.default is NODEFAULT]
        return {
            "type": "object",
            "description": (self.type.__doc__ or "").strip(),
            "properties": properties,
            **({"required": needed} if needed else {}),
            "additionalProperties": False,
        }


def keys_of(
    section: type[Section], above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Declared]]:
    """Yield every key below a section with its path; a section precedes its keys."""
    for name, one in _keys(section).items():
        yield (*above, name), one
        if one.section is not None:
            yield from keys_of(one.section.type, (*above, name))


@cache
def _keys(section: type[Section]) -> dict[str, Declared]:
    found = {}
    for field in fields(section):
        base, marks = _parts(field.type)
        key = next((mark for mark in marks if isinstance(mark, Key)), None)
        if key is None and not (isinstance(base, type) and issubclass(base, Section)):
            continue  # set by pex-tui, by no layer
        made = field.default_factory
        default = field.default if made is NODEFAULT else made()
        found[field.name] = Declared(field.name, kind_of(field.type), key or Key(), default)
    return found


def kind_of(annotation: Any) -> Kind:
    """Return the kind of values that an annotation declares."""
    base, marks = _parts(annotation)
    named = next((mark for mark in marks if isinstance(mark, Leaf | ListOf | OrNone)), None)
    if named is not None:
        return named
    origin, inner = get_origin(base), get_args(base)
    if origin in {Union, UnionType}:
        return OrNone(kind_of(next(one for one in inner if one is not NoneType)))
    if origin is tuple:
        return ListOf(kind_of(inner[0]))
    if origin is dict:
        return MapOf(kind_of(inner[1]))
    if origin is Literal:
        return choice(inner)
    if base is bool:
        return boolean()
    if issubclass(base, StrEnum):
        return choice([str(member) for member in base], base)
    return SectionOf(cast("type[Section]", base))


def _parts(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return the type of an annotation, and its metadata."""
    if get_origin(annotation) is Annotated:
        base, *marks = get_args(annotation)
        return base, tuple(marks)
    return annotation, ()
