import json
import typing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pex_tui.core.events.event_codec import CodecError, decode, encode, event_name
from pex_tui.core.events.run_events import AgentStarted, Event, RunPlanned
from pex_tui.core.model.ids import CommitId, RunId, SlotId, TaskId
from pex_tui.core.model.plan import Plan
from pex_tui.core.model.run_rules import RunRules
from pex_tui.core.model.state import Outcome
from pex_tui.core.step import HANDLERS, replay
from tests.core.world import task

FIXTURES = Path(__file__).parents[2] / "fixtures"
RUN = RunId("7f3a")
KINDS = typing.get_args(Event)
STARTED = AgentStarted(TaskId("audit"), 1, SlotId(2), 4711, 1764000000.0, at=1764000000.123)


@given(st.one_of([st.from_type(kind) for kind in KINDS]))
def test_every_event_survives_the_journal(event: Event) -> None:
    written = json.loads(json.dumps(encode(event, 12, RUN)))

    assert repr(decode(written)) == repr(event)


def test_an_event_is_written_as_the_contract_says() -> None:
    assert encode(STARTED, 12, RUN) == {
        "seq": 12,
        "at": 1764000000.123,
        "run": "7f3a",
        "event": "agent_started",
        "task": "audit",
        "attempt": 1,
        "slot": 2,
        "pid": 4711,
        "started_at": 1764000000.0,
        "listens": False,
        "tier": "",
    }


def test_names_of_events_are_snake_case_and_unique() -> None:
    names = [event_name(kind) for kind in KINDS]

    assert "branch_move_refused" in names
    assert len(set(names)) == len(names)


def test_every_event_has_a_handler() -> None:
    assert HANDLERS.keys() == set(KINDS)


def test_a_field_that_an_older_version_did_not_write_gets_its_default() -> None:
    planned = RunPlanned(RUN, Plan(()), RunRules(), CommitId("b"), "pex/r", None, 1, at=5.0)
    written = encode(planned, 1, RUN)
    del written["notices"]
    del written["rules"]["never"]

    assert decode(written) == planned


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"event": "agent_danced"}, "no event 'agent_danced'"),
        ({"event": 7}, "no event 7"),
        ({"colour": "red"}, "unknown field `colour`"),
        ({"pid": "many"}, "Expected `int`, got `str` - at `\\$.pid`"),
        ({"slot": True}, "Expected `int`, got `bool`"),
        ({"task": None}, "Expected `str`, got `null`"),
    ],
)
def test_what_is_no_event_of_this_version_is_refused_in_words(
    change: dict[str, Any], message: str
) -> None:
    with pytest.raises(CodecError, match=message):
        decode(encode(STARTED, 1, RUN) | change)


def test_a_missing_field_is_named() -> None:
    written = encode(STARTED, 1, RUN)
    del written["slot"]

    with pytest.raises(CodecError, match=r"agent_started: .*missing required field `slot`"):
        decode(written)


@pytest.mark.parametrize("env", [[["A"]], [["A", "b", "c"]], [{"A": "b"}], {"A": "b"}])
def test_a_pair_of_another_length_is_refused_in_words(env: Any) -> None:
    planned = RunPlanned(RUN, Plan((task("a"),)), RunRules(), CommitId("b"), "pex/r", None, 1)
    written = encode(planned, 1, RUN)
    written["plan"]["tasks"][0]["env"] = env

    with pytest.raises(CodecError, match="Expected `array`"):
        decode(written)


def recorded(name: str) -> list[dict[str, Any]]:
    lines = (FIXTURES / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def holds(now: Any, then: Any) -> bool:
    """Return whether all that was written then is written now; newer fields may be added."""
    if isinstance(then, dict):
        return all(name in now and holds(now[name], then[name]) for name in then)
    if isinstance(then, list):
        return len(now) == len(then) and all(map(holds, now, then))
    return bool(now == then)


@pytest.mark.parametrize("written", recorded("events-v1.jsonl"), ids=lambda row: row["event"])
def test_an_event_that_version_1_wrote_is_still_read(written: dict[str, Any]) -> None:
    event = decode(written, version=1)

    assert holds(encode(event, written["seq"], RUN), written)


def test_every_kind_of_event_has_been_recorded() -> None:
    names = {row["event"] for row in recorded("events-v1.jsonl")}

    assert names == {event_name(kind) for kind in KINDS}


def test_a_whole_run_that_version_1_recorded_is_still_replayed() -> None:
    state = replay([decode(row, version=1) for row in recorded("demo-v1.jsonl")])

    assert (state.outcome, state.exit_code) == (Outcome.OK, 0)
    assert state.seq == len(recorded("demo-v1.jsonl"))
    assert sum(entry.landed is not None for entry in state.tasks) == 9
