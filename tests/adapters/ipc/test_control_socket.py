import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pex_tui.adapters.ipc.control_socket import (
    ControlError,
    ControlServer,
    ask,
    ask_diff,
    request_for,
)
from pex_tui.core.events.run_events import (
    AbortRequested,
    BoostRequested,
    BoostToggled,
    ConflictDecided,
    Event,
    LandRequested,
    Noticed,
    PauseRequested,
    ResumeRequested,
    RetryRequested,
    RunAbortRequested,
    RunDrainRequested,
    RunPauseRequested,
    RunResumeRequested,
    SlotsRequested,
)
from pex_tui.core.model.conflict import Decision
from pex_tui.core.model.ids import CommitId, TaskId
from pex_tui.core.model.state import RunState
from tests.core.world import task
from tests.engine.fakes import FakeWorld

STATE: RunState = FakeWorld().begin(task("api"))


async def changes(task: TaskId) -> str:
    return f"+{task}\n" * 50_000


@pytest.fixture
def posted() -> list[Event]:
    return []


@pytest.fixture
def released() -> list[str]:
    return []


@pytest.fixture
async def socket(tmp_path: Path, posted: list[Event], released: list[str]) -> AsyncIterator[Path]:
    path = tmp_path / "control.sock"
    server = ControlServer(
        path, lambda: STATE, posted.append, changes, lambda: released.append("let go")
    )
    await server.start()
    yield path
    server.close()


async def test_a_request_becomes_an_event_with_its_author(
    socket: Path, posted: list[Event]
) -> None:
    await ask(socket, request="pause", task="api", by="anna")
    await ask(socket, request="pause_run", by="anna")
    await ask(socket, request="slots", slots=3, by="anna")

    assert posted == [
        PauseRequested(TaskId("api"), "anna"),
        RunPauseRequested("anna"),
        SlotsRequested(3, "anna"),
    ]


REQUESTS: list[Event] = [
    PauseRequested(TaskId("api"), "b"),
    ResumeRequested(TaskId("api"), "b"),
    BoostRequested(TaskId("api"), "b"),
    AbortRequested(TaskId("api"), "b"),
    RetryRequested(TaskId("api"), "b"),
    RunPauseRequested("b"),
    RunResumeRequested("b"),
    RunAbortRequested("b"),
    RunDrainRequested("b"),
    RunDrainRequested("b", kill=True),
    BoostToggled("b"),
    SlotsRequested(3, "b"),
    LandRequested("b"),
    ConflictDecided(TaskId("api"), Decision.EDITED, CommitId("c" * 40), "b"),
    ConflictDecided(TaskId("api"), Decision.RERUN, None, "b"),
]


@pytest.mark.parametrize("event", REQUESTS, ids=lambda event: type(event).__name__)
async def test_whatever_a_screen_asks_for_arrives_as_it_was_meant(
    socket: Path, posted: list[Event], event: Event
) -> None:
    await ask(socket, **request_for(event))

    assert posted == [event]


def test_what_only_an_engine_says_can_not_be_asked_for() -> None:
    with pytest.raises(ControlError, match="Noticed"):
        request_for(Noticed("a word"))


async def test_an_unknown_decision_is_refused_in_words(socket: Path) -> None:
    with pytest.raises(ControlError, match=r"no such decision; there are: .*rerun"):
        await ask(socket, request="decide", task="api", decision="dance")


async def test_changes_come_whole_however_long_they_are(socket: Path) -> None:
    assert await ask_diff(socket, TaskId("api")) == "+api\n" * 50_000


async def test_another_process_can_ask_for_the_run(socket: Path, released: list[str]) -> None:
    await ask(socket, request="let_go")

    assert released == ["let go"]


@pytest.mark.parametrize(
    ("request_line", "error"),
    [
        ({"request": "dance"}, "unknown request 'dance'"),
        ({"request": "pause", "task": "nobody"}, "there is no task 'nobody'"),
        ({"request": "pause"}, "there is no task None"),
        ({"request": "slots", "slots": "many"}, "a whole number from 1 to 32"),
    ],
)
async def test_a_bad_request_is_refused_in_words(
    socket: Path, posted: list[Event], request_line: dict[str, object], error: str
) -> None:
    with pytest.raises(ControlError, match=error):
        await ask(socket, **request_line)

    assert posted == []


@pytest.mark.parametrize("line", [b"no json\n", b"[1]\n", b"\xff\xfe\n"])
async def test_garbage_is_answered_and_the_server_lives_on(socket: Path, line: bytes) -> None:
    reader, writer = await asyncio.open_unix_connection(socket)
    writer.write(line)
    answer = json.loads(await reader.readline())
    writer.close()

    assert answer["ok"] is False
    await ask(socket, request="land")


async def test_only_this_user_can_reach_the_socket(socket: Path) -> None:
    assert socket.stat().st_mode & 0o777 == 0o600


async def test_without_an_engine_the_request_fails_in_words(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="does not answer"):
        await ask(tmp_path / "nobody.sock", request="land")


async def test_an_engine_with_a_terminal_is_not_taken_over(
    tmp_path: Path, posted: list[Event]
) -> None:
    path = tmp_path / "control.sock"
    server = ControlServer(path, lambda: STATE, posted.append, changes, None)
    await server.start()
    with pytest.raises(ControlError, match="terminal of its own"):
        await ask(path, request="let_go")
    server.close()
