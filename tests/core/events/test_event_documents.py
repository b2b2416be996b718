"""Documents generated from the events are up to date, and match recorded runs."""

import json
from pathlib import Path

import pytest

from pex_tui.core.events.event_codec import event_name
from tests.tools.event_documents import KINDS, documents, schema

RECORDED = sorted((Path(__file__).parents[2] / "fixtures" / "recorded").glob("*.jsonl"))


def test_the_files_are_those_that_the_events_make() -> None:
    """If this fails: python -m tests.tools."""
    stale = [path.name for path, text in documents().items() if path.read_text("utf-8") != text]

    assert stale == []


def test_every_event_says_what_it_means() -> None:
    silent = [kind.__name__ for kind in KINDS if not kind.__dict__.get("__doc__")]

    assert silent == []


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda path: path.stem)
def test_what_was_recorded_has_what_the_schema_requires(recorded: Path) -> None:
    described = schema()
    required = {
        event_name(kind): {*described["required"], *described["$defs"][kind.__name__]["required"]}
        for kind in KINDS
    }
    for line in recorded.read_text("utf-8").splitlines():
        row = json.loads(line)
        assert required[row["event"]] <= row.keys()
