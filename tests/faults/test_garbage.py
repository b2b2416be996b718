"""Random and damaged input at every edge: words or a default, never another exception."""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pex_tui.adapters.ipc.control_requests import _FIELDS, ControlError, event_of, read_request
from pex_tui.adapters.process.records import EXIT, START, read_exit, read_start
from pex_tui.adapters.storage.engine_lock import read_holder
from pex_tui.adapters.storage.journal import SqliteJournal
from pex_tui.adapters.storage.journal_file import JournalError
from pex_tui.core.adoption import unfinished_actions
from pex_tui.core.events.event_codec import CodecError, decode, encode
from pex_tui.core.invariants import violations
from pex_tui.core.lifecycle.step_draft import IllegalTransition
from pex_tui.core.model.ids import RunId
from pex_tui.core.model.semantics import ReplayError
from pex_tui.core.model.state import RunState
from pex_tui.core.step import replay, step
from pex_tui.errors import UserError
from pex_tui.resources import shipped as shipped_file
from pex_tui.settings.load import load_settings
from tests.adapters.agents.protocols.test_registry import machine_for

pytestmark = pytest.mark.faults
RECORDED = sorted((Path(__file__).parents[1] / "fixtures" / "recorded").glob("*.jsonl"))
RUN = RunId("r1")
ODD: tuple[Any, ...] = (
    *(None, True, 0, -1, 10**30, 1e308, float("inf"), float("nan"), "", "\0", "\udcff", "a" * 5000),
    *([], {}, [None], {"a": {}}, "../../etc", "t0\n", "\x1b]52;c;x\x07"),
)

MESSAGES: tuple[dict[str, Any], ...] = (
    {"jsonrpc": "2.0", "id": 1, "result": {"protocolVersion": 1, "agentCapabilities": {}}},
    {"jsonrpc": "2.0", "id": 2, "result": {"sessionId": "s", "modes": {"availableModes": []}}},
    {"jsonrpc": "2.0", "id": 3, "error": {"code": -32000, "message": "x", "data": {"a": 1}}},
    {
        "jsonrpc": "2.0",
        "id": 9,
        "method": "session/request_permission",
        "params": {
            "toolCall": {"toolCallId": "c", "kind": "edit", "rawInput": {"command": "x"}},
            "options": [{"optionId": "o", "kind": "allow_once", "name": "n"}],
        },
    },
    {
        "jsonrpc": "2.0",
        "method": "session/update",
        "params": {"update": {"sessionUpdate": "plan", "entries": [{"content": "x"}]}},
    },
    {"type": "system", "subtype": "init", "session_id": "s", "tools": ["Edit"]},
    {
        "type": "assistant",
        "message": {
            "content": [{"type": "tool_use", "name": "Edit", "id": "t", "input": {"a": "/x"}}],
            "usage": {"input_tokens": 5},
        },
    },
    {
        "type": "control_request",
        "request_id": "1",
        "request": {"subtype": "can_use_tool", "tool_name": "Bash", "input": {"command": "x"}},
    },
    {"type": "result", "subtype": "success", "is_error": False, "total_cost_usd": 1.0},
    {"type": "item.completed", "item": {"type": "todo_list", "items": [{"text": "x"}]}},
    {"type": "turn.completed", "usage": {"input_tokens": 1, "output_tokens": 2}},
    {"type": "tool_use", "part": {"tool": "bash", "state": {"input": {"command": "x"}}}},
    {"type": "step_finish", "part": {"cost": 1, "tokens": {"input": 4, "cache": {"read": 1}}}},
)
"""A line of each kind that agents say, of all protocols."""


def damaged(dice: random.Random, value: Any) -> Any:
    """Return the value with one part of it replaced, dropped or doubled."""
    if isinstance(value, dict) and value and dice.random() < 0.85:
        name = dice.choice(sorted(value))
        if dice.random() < 0.15:
            return {key: part for key, part in value.items() if key != name}
        return {**value, name: damaged(dice, value[name])}
    if isinstance(value, list) and value and dice.random() < 0.7:
        at = dice.randrange(len(value))
        return [*value[:at], damaged(dice, value[at]), *value[at + dice.randint(0, 1) :]]
    return dice.choice(ODD)


def cut(dice: random.Random, content: bytes) -> bytes:
    """Return a damaged text: cut, with flipped bytes, or with others between."""
    at = dice.randrange(len(content) + 1)
    noise = dice.randbytes(dice.randint(0, 8))
    return (
        content[:at] + noise + (content[at + dice.randint(0, 8) :] if dice.random() < 0.7 else b"")
    )


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_damaged_rows_are_refused_in_words() -> None:
    dice = random.Random(1)  # noqa: S311  # a seed for garbage, not for secrets
    for path in RECORDED:
        for row in dice.choices(rows(path), k=40):
            for _ in range(15):
                harmed = damaged(dice, row)
                version = harmed.pop("version", 1) if isinstance(harmed, dict) else 1
                with suppress(CodecError):
                    decode(harmed, version)


def test_a_journal_with_damaged_rows_is_read_or_refused(tmp_path: Path) -> None:
    dice = random.Random(2)  # noqa: S311
    path = tmp_path / "journal.db"
    for recorded in RECORDED[:2]:
        for _ in range(150):
            harmed = damaged(dice, rows(recorded)[0])
            body = cut(dice, json.dumps(harmed).encode()).decode("utf-8", "replace")
            journal = SqliteJournal.__new__(SqliteJournal)
            journal._path = path
            with suppress(JournalError):
                journal._event(RUN, body if dice.random() < 0.5 else json.dumps(harmed))


def test_runs_whose_rows_are_lost_doubled_or_swapped_are_replayed_or_refused() -> None:
    dice = random.Random(3)  # noqa: S311
    for path in RECORDED:
        whole = [decode(row, row.pop("version", 1)) for row in rows(path)]
        for _ in range(25):
            events = list(whole)
            for _ in range(dice.randint(1, 3)):
                at = dice.randrange(len(events))
                match dice.randrange(3):
                    case 0:
                        del events[at]
                    case 1:
                        events.insert(at, dice.choice(whole))
                    case _:
                        other = dice.randrange(len(events))
                        events[at], events[other] = events[other], events[at]
            with suppress(ReplayError):
                unfinished_actions(replay(events))


def states() -> Iterator[RunState]:
    """Yield states in the middle of recorded runs."""
    dice = random.Random(4)  # noqa: S311
    for path in RECORDED:
        events = [decode(row, row.pop("version", 1)) for row in rows(path)]
        for _ in range(6):
            yield replay(events[: dice.randint(1, len(events))])


def test_requests_become_events_that_every_state_survives_or_are_refused() -> None:
    dice = random.Random(5)  # noqa: S311
    taken = 0
    for state in states():
        tasks = state.graph.index
        for _ in range(250):
            wanted = {"request": dice.choice(sorted(_FIELDS)), "by": "me"}
            good: dict[str, Any] = {
                "task": dice.choice(sorted(tasks)),
                "slots": dice.randint(1, 9),
                "kill": True,
                "text": "Hurry.",
                "work": None,
                "decision": "rerun",
                "permission": "p",
                "verdict": "deny",
            }
            request = wanted | {name: good[name] for name in _FIELDS[wanted["request"]]}
            if dice.random() < 0.6:
                request = damaged(dice, request)
            line = json.dumps(request).encode()
            try:
                event = event_of(
                    read_request(cut(dice, line) if dice.random() < 0.2 else line), tasks
                )
            except ControlError:
                continue
            taken += 1
            stored = json.loads(json.dumps(encode(event, 7, RUN)))
            assert decode(stored, 2) == event
            try:
                state, _ = step(state, event)  # noqa: PLW2901  # the run goes on
            except IllegalTransition:
                continue
            assert violations(state) == ()
    assert taken > 100


@pytest.mark.parametrize("talk", ["acp", "claude", "codex", "gemini", "opencode"])
def test_whatever_an_agent_says_is_heard(talk: str) -> None:
    dice = random.Random(6)  # noqa: S311
    for _ in range(60):
        machine = machine_for(talk)
        machine.opening()
        for _ in range(12):
            message = dice.choice(MESSAGES)
            harmed = damaged(dice, message) if dice.random() < 0.7 else message
            line = json.dumps(harmed).encode()
            heard = machine.hear(cut(dice, line) if dice.random() < 0.1 else line)
            json.dumps([repr(report) for report in heard.reports])


@pytest.mark.parametrize("read", [read_start, read_exit])
def test_damaged_records_are_none_or_a_record(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    dice = random.Random(7)  # noqa: S311
    good = {
        "boot_id": "b",
        "shim_pid": 5,
        "shim_started": 6,
        "root_pid": 7,
        "root_started": 8,
        "started_at": 1.0,
        "token": "t",
        "control": "/x",
        "started_monotonic": 2.0,
        "exit_code": 0,
        "signal": None,
        "exited_at": 2.0,
        "exited_monotonic": 3.0,
    }
    for _ in range(150):
        line = json.dumps(damaged(dice, good)).encode()
        for name in (START, EXIT):
            (tmp_path / name).write_bytes(cut(dice, line) if dice.random() < 0.3 else line)
        read(tmp_path)
        read_holder(tmp_path / START)


def test_settings_of_any_kind_are_taken_or_refused_in_words(tmp_path: Path) -> None:
    dice = random.Random(8)  # noqa: S311
    shipped = shipped_file("config/pex.yaml").read_text("utf-8")
    (tmp_path / ".pex").mkdir()
    names = ("PEX_GATE__BATCH", "PEX_AGENTS__RUNNERS", "PEX_X", "PEX___", "PEX_GATE")
    for _ in range(20):
        environ = {dice.choice(names): str(dice.choice(ODD)) for _ in range(2)}
        (tmp_path / ".pex" / "pex.yaml").write_bytes(cut(dice, shipped.encode()))
        with suppress(UserError):
            load_settings(tmp_path, [f"gate.batch={dice.choice(ODD)}"], environ)
