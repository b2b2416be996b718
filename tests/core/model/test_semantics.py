"""Runs of older versions are replayed as they were; the rule is in `core/semantics.py`."""

import json
import typing
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Any

import pytest
from msgspec import NODEFAULT, Struct, to_builtins
from msgspec.structs import FieldInfo, fields

from pex_tui.core.events.event_codec import VERSION, CodecError, decode, encode, event_name
from pex_tui.core.events.landing_events import BranchMoved
from pex_tui.core.events.run_events import Event, RunFinished
from pex_tui.core.model.ids import CommitId, TaskId
from pex_tui.core.model.plan import Plan
from pex_tui.core.model.semantics import NEWEST, ReplayError, Semantics
from pex_tui.core.model.state import Outcome
from pex_tui.core.step import follow, replay
from tests.core.world import World, task

FIXTURES = Path(__file__).parents[2] / "fixtures"
FIELDS = FIXTURES / f"event-fields-v{VERSION}.json"


def recorded(commit: str) -> list[dict[str, Any]]:
    lines = (FIXTURES / "recorded" / f"{commit}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize(
    ("commit", "semantics", "outcome", "phases"),
    [
        ("eb6f965", Semantics.RERUN_AT_ONCE, Outcome.OK, "landed landed landed landed"),
        ("84747b9", Semantics.RERUN_AT_ONCE, Outcome.OK, "landed landed landed landed"),
        ("a12c071", Semantics.RERUN_AT_ONCE, Outcome.CONFLICTS, "landed conflict landed landed"),
        ("8badd4c", Semantics.LADDER, Outcome.OK, "landed landed landed landed"),
        ("9bc2220", Semantics.ONE_WAIT_GRAPH, Outcome.OK, "landed landed landed landed"),
        ("4efdc35", Semantics.ONE_STORY_A_REASON, Outcome.FAILED, "done failed"),
    ],
)
def test_tasks_in_conflict_are_replayed_as_the_commit_recorded_them(
    commit: str, semantics: Semantics, outcome: Outcome, phases: str
) -> None:
    rows = recorded(commit)

    state = replay(decode(row) for row in rows)

    assert state.semantics == semantics
    assert (state.outcome, state.seq) == (outcome, len(rows))
    assert " ".join(entry.phase for entry in state.tasks) == phases
    landed = {row["task"]: row["commit"] for row in rows if row["event"] == "branch_moved"}
    assert {entry.id: entry.landed for entry in state.tasks if entry.landed} == landed


@pytest.mark.parametrize(
    ("commit", "rules"),
    [("eb6f965", (1, 0, False)), ("84747b9", (1, 0, False)), ("a12c071", (5, 1, True))],
)
def test_runs_from_before_there_were_rules_for_the_gate_ask_it_once_for_each_task(
    commit: str, rules: tuple[int, int, bool]
) -> None:
    meant = replay([decode(recorded(commit)[0])]).rules

    assert (meant.gate_batch, meant.gate_retries, meant.speculate) == rules


def test_pairs_that_were_told_one_by_one_are_replayed_so() -> None:
    state = replay(decode(row) for row in recorded("9bc2220"))

    assert state.semantics == Semantics.ONE_WAIT_GRAPH
    assert [one.tasks for one in state.conflicts] == [
        (first, second) for first, second in zip("bcdcdd", "aaabbc", strict=True)
    ]


def test_what_means_something_else_here_is_refused_in_words() -> None:
    rows = recorded("eb6f965")
    rows[0]["semantics"] = NEWEST

    with pytest.raises(ReplayError, match=r"event \d+ \(TaskDispatched\): task . can't go from"):
        replay(decode(row) for row in rows)


def test_a_landing_that_did_not_happen_here_is_never_passed_over() -> None:
    world = World(Plan((task("a"),)))
    moved = BranchMoved(TaskId("a"), 1, CommitId("c" * 40), at=world.now)

    with pytest.raises(ReplayError, match=r"BranchMoved\) contradicts the state"):
        follow(world.state, moved)
    with pytest.raises(ReplayError, match=r"RunFinished\) contradicts the state"):
        follow(world.state, RunFinished(Outcome.OK, 0, at=world.now))
    with pytest.raises(ReplayError, match="no events"):
        replay([])
    with pytest.raises(ReplayError, match="a run starts with RunPlanned"):
        replay([moved])
    with pytest.raises(ReplayError, match="event 1"):
        follow(None, moved)


def test_a_run_says_what_its_steps_mean_and_older_ones_are_known_by_their_rules() -> None:
    world = World(Plan((task("a"),)))
    written = encode(world.planned, 1, world.state.run)
    assert written["semantics"] == NEWEST == world.state.semantics

    del written["semantics"]
    assert decode(written).semantics == Semantics.LADDER  # type: ignore[union-attr]
    del written["rules"]["sequential_above"]
    assert decode(written).semantics == Semantics.RERUN_AT_ONCE  # type: ignore[union-attr]
    with pytest.raises(CodecError, match=f"version {VERSION + 1}, and this one knows {VERSION}"):
        decode(written, VERSION + 1)


def test_fields_of_events_change_by_the_rule_alone() -> None:
    """A field that is gone, or means something else, needs a version; a new one needs a default.

    After a new VERSION with its upcaster, or to take additions in: write `described()` to FIELDS.
    """
    known = json.loads(FIELDS.read_text(encoding="utf-8"))
    now = described()

    for place, (kind, default, values) in known.items():
        assert place in now, f"{place} is gone: give codec.VERSION an upcaster"
        assert now[place][0] == kind, f"{place} has another type: likewise"
        assert default in {now[place][1], "required"}, f"{place} has another default: likewise"
        assert set(values) <= set(now[place][2]), f"{place} has lost a value: likewise"
    for place in now.keys() - known.keys():
        assert now[place][1] != "required", f"{place} is new and has no default"


def described() -> dict[str, tuple[str, str, list[str]]]:
    """Return type, default and possible words of all that is written, by its place in an event.

    Names of classes are not written, so they are not part of it.
    """
    places: dict[str, tuple[str, str, list[str]]] = {}
    for event in typing.get_args(Event):
        _describe(event, event_name(event), places)
    return dict(sorted(places.items()))


def _describe(
    kind: type[Struct], place: str, places: dict[str, tuple[str, str, list[str]]]
) -> None:
    hints = typing.get_type_hints(kind)
    for field in fields(kind):
        here, parts = f"{place}.{field.encode_name}", list(_parts(hints[field.name]))
        enums = [part for part in parts if issubclass(part, StrEnum)]
        words = sorted(str(word) for enum in enums for word in enum)
        places[here] = (_spelled(hints[field.name]), _default(field), words)
        for part in parts:
            if issubclass(part, Struct):
                _describe(part, here, places)


def _parts(hint: Any) -> Iterator[type]:
    """Yield the classes that a type is made of."""
    hint = getattr(hint, "__supertype__", hint)
    if isinstance(hint, type) and not typing.get_args(hint):
        yield hint
    for part in typing.get_args(hint):
        yield from () if part is Ellipsis else _parts(part)


def _spelled(hint: Any) -> str:
    """Return the type as JSON has it, its classes without their names."""
    hint = getattr(hint, "__supertype__", hint)
    inner = [_spelled(part) for part in typing.get_args(hint) if part is not Ellipsis]
    if isinstance(hint, UnionType):
        return " | ".join(inner)
    if inner:
        return f"[{', '.join(inner)}]"
    if issubclass(hint, Struct):
        return "object"
    return "word" if issubclass(hint, StrEnum) else hint.__name__


def _default(field: FieldInfo) -> str:
    if field.name == "semantics":
        return "the newest"
    if field.default_factory is not NODEFAULT:
        return json.dumps(to_builtins(field.default_factory()))
    return "required" if field.default is NODEFAULT else json.dumps(to_builtins(field.default))
