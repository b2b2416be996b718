"""Documents generated from the events: tables of docs/events.md, schema of the JSON Lines."""

import typing
from pathlib import Path
from typing import Any

import msgspec

from pex_tui.core.events.event_codec import event_name
from pex_tui.core.events.run_events import TELEMETRY, Event
from tests.tools.schema_text import schema_text

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE, SCHEMA = ROOT / "docs" / "events.md", ROOT / "config" / "schema" / "events.json"
KINDS: tuple[type[Event], ...] = typing.get_args(Event)
EVERYWHERE = ("at", "task", "attempt", "by")
RUN, TASKS = "The run", "Tasks and attempts"
SECTIONS = {  # by module; events of run_events are about a task or about the run
    "agent_events": "Agents with a model",
    "capture_events": "Capture and landing",
    "landing_events": "Capture and landing",
    "overlap_events": "Overlaps and locks",
    "lock_events": "Overlaps and locks",
}
HEAD = "| event | fields besides `task`, `attempt` and `by` | meaning |\n|---|---|---|"


def documents() -> dict[Path, str]:
    """Return the text of each file."""
    return {PAGE: page_text(), SCHEMA: schema_text(schema())}


def page_text() -> str:
    """Return docs/events.md: the handwritten part, and a table for each section."""
    by_hand = PAGE.read_text("utf-8").partition("\n## ")[0].rstrip("\n")
    tables = (
        "\n".join((f"## {title}\n", HEAD, *(_row(kind) for kind in KINDS if _title(kind) == title)))
        for title in dict.fromkeys((RUN, TASKS, *SECTIONS.values()))
    )
    return "\n\n".join((by_hand, *tables)) + "\n"


def _title(kind: type[Event]) -> str:
    of_run = TASKS if "task" in kind.__struct_fields__ else RUN
    return SECTIONS.get(kind.__module__.rpartition(".")[2], of_run)


def _row(kind: type[Event]) -> str:
    """Return the event's row, with its own fields and the first paragraph of its docstring."""
    own = (name for name in kind.__struct_fields__ if name not in EVERYWHERE)
    fields = ", ".join(f"`{name}`" for name in own)
    meaning = " ".join((kind.__doc__ or "").partition("\n\n")[0].split()).rstrip(".")
    meaning = f"{meaning[0].lower()}{meaning[1:]}".replace("None", "null")
    mark = " °" if kind in TELEMETRY else ""
    return f"| `{event_name(kind)}`{mark} | {fields}{' ' if fields else ''}| {meaning} |"


def schema() -> dict[str, Any]:
    """Return the JSON Schema of one line; newer versions may add fields."""
    found = msgspec.json.schema(Event)
    defined = found["$defs"]
    for kind in KINDS:
        del defined[kind.__name__]["additionalProperties"]
    defined["RunFinished"]["properties"]["metrics"] = {"type": "object"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of `pex-tui run --json`",
        "type": "object",
        "properties": {
            "seq": {"type": "integer", "minimum": 1},
            "at": {"type": "number"},
            "run": {"type": "string"},
            "event": {"enum": [event_name(kind) for kind in KINDS]},
        },
        "required": ["seq", "at", "run", "event"],
        "oneOf": found["anyOf"],
        "$defs": defined,
    }
