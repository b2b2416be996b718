"""Files generated from the declared settings.

These are config/pex.yaml, config/schema/pex.json, the tables of docs/configuration.md, and the
checksum by which a run knows that config/pex.yaml has the defaults.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import wrap
from typing import Any
from zlib import crc32

from pex_tui.planning.fields.declaration import Declared, SectionOf
from pex_tui.planning.fields.kinds import Leaf
from pex_tui.settings.model import Settings
from pex_tui.settings.setting import setting_of
from pex_tui.tui.keymap import key_ids
from tests.tools.schema_text import schema_text

ROOT = Path(__file__).resolve().parent.parent.parent
YAML, SCHEMA, PAGE, CHECKSUM = (
    ROOT / "config" / "pex.yaml",
    ROOT / "config" / "schema" / "pex.json",
    ROOT / "docs" / "configuration.md",
    ROOT / "pex_tui" / "settings" / "shipped_checksum.py",
)
HEAD = """\
# pex-tui's settings, as shipped. Copy what you want to change into
#   ~/.config/pex-tui/pex.yaml   for yourself, or
#   .pex/pex.yaml                in a repository, for everyone who works on it.
# The repository's file wins over yours, PEX_SECTION__KEY=… in the environment over both,
# and --set section.key=… on the command line over all.
# † marks what is read and has no effect in this version; a run says so if you set it.
"""
COLUMN, WIDTH = 31, 100
LONG = 60
PLAIN = re.compile(r"[\w./~-][^:#,\[\]{}\"]*")


def documents() -> dict[Path, str]:
    """Return the text of each file."""
    shipped = yaml_text()
    return {
        YAML: shipped,
        SCHEMA: schema_text(schema()),
        PAGE: page_text(),
        CHECKSUM: re.sub("= .*", f"= {crc32(shipped.encode())}", CHECKSUM.read_text("utf-8")),
    }


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a settings file."""
    found = SectionOf(Settings).schema()
    found["description"] = "Sections and keys may be left out: pex.yaml has the defaults."
    found["properties"]["keymap"]["propertyNames"] = {"enum": sorted(key_ids())}
    draft = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": draft, "title": "Settings of pex-tui"} | found


def yaml_text() -> str:
    """Return config/pex.yaml: every setting with its default and its help."""
    lines = [HEAD.rstrip("\n")]
    for one in SectionOf(Settings).keys.values():
        lines += ["", *_yaml(one, one.default, "")]
    names = " ".join(sorted(key_ids()))
    lines += _comment("", "`check` and `doctor` report what can't be. These can be moved:")
    return "\n".join([*lines, *_comment("", names)]) + "\n"


def _yaml(one: Declared, value: Any, indent: str) -> Iterator[str]:
    if one.section is None:
        yield from _setting(f"{indent}{one.name}:", one.kind.written(value), _help(one), indent)
        return
    yield from _comment(f"{indent}{one.name}:", _section_help(one.section))
    for name, inner in one.section.keys.items():
        yield from _yaml(inner, getattr(value, name), f"{indent}  ")


def _setting(key: str, value: Any, text: str, indent: str) -> Iterator[str]:
    short = f"{key} {_flow(value)}"
    if len(short) <= LONG or not value:
        yield from _comment(short, text)
        return
    yield from _comment(key, text)
    for entry in value:
        if isinstance(value, Mapping):
            yield f"{indent}  {entry}: {_flow(value[entry])}"
        else:
            yield f"{indent}  - {_flow(entry)}"


def _comment(line: str, text: str) -> Iterator[str]:
    """Yield the line with a comment beside it, which continues below."""
    plain = text.replace("`", "")
    words = wrap(plain, WIDTH - COLUMN - 2, break_on_hyphens=False, break_long_words=False)
    for number, part in enumerate(words):
        beside = f"{line}  " if number == 0 and line else ""
        yield f"{beside:<{COLUMN}}# {part}"


def _flow(value: Any) -> str:
    """Return the value as YAML on one line."""
    match value:
        case str():
            return value if PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
        case Mapping():
            return "{" + ", ".join(f"{key}: {_flow(one)}" for key, one in value.items()) + "}"
        case list():
            return f"[{', '.join(_flow(one) for one in value)}]"
        case _:
            return json.dumps(value)


def page_text() -> str:
    """Return docs/configuration.md: the handwritten part, and a table for each section."""
    by_hand = PAGE.read_text("utf-8").partition("\n## ")[0].rstrip("\n")
    parts = [by_hand]
    for one in SectionOf(Settings).keys.values():
        parts.append(f"## {one.name}")
        if one.section is not None:
            see = one.section.type.see
            parts.append(_section_help(one.section) + (f" See {see}." if see else ""))
        rows = "\n".join(_rows(one, ()))
        parts.append(f"| setting | default | meaning |\n|---|---|---|\n{rows}")
    return "\n\n".join(parts) + "\n"


def _rows(one: Declared, above: tuple[str, ...]) -> Iterator[str]:
    path = (*above, one.name)
    if one.section is not None:
        for inner in one.section.keys.values():
            yield from _rows(inner, path)
        return
    default = _flow(one.kind.written(one.default))
    shown = f"`{default}`" if len(default) <= LONG else "see [pex.yaml](../config/pex.yaml)"
    yield f"| `{'.'.join(path)}` | {shown} | {_help(one)} |"


def _help(one: Declared) -> str:
    """Return the help of a setting with its range, an example, and its effect."""
    dagger = "† " if setting_of(one).inert else ""
    limits = one.kind.limits if isinstance(one.kind, Leaf) else ""
    example = f", such as `{setting_of(one).example}`" if setting_of(one).example else ""
    return f"{dagger}{one.key.help}{f' ({limits})' if limits else ''}{example}"


def _section_help(section: SectionOf) -> str:
    return (section.type.__doc__ or "").strip()
