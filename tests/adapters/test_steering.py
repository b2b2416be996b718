"""Control of a run: people's processes may, those of tasks may not, however they hide."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pex_tui.adapters.ipc.control_socket import ControlError, ControlServer, ask
from pex_tui.adapters.process.client import give_order
from pex_tui.adapters.process.keepers import PeerGoneError, keeper_of, own_keeper, peer_keeper
from pex_tui.adapters.process.messages import Order
from pex_tui.core.events.agent_events import SteeringRefused
from pex_tui.core.events.run_events import Event
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.state import RunState
from pex_tui.core.step import step
from tests.adapters.process.runs import Attempts
from tests.core.world import task
from tests.engine.fakes import FakeWorld
from tests.waiting import until

STATE: RunState = FakeWorld().begin(task("api"))
CLIENT = """
import os, socket, sys, time
how, path, line, answer = sys.argv[1:]
if how != "plain":
    if os.fork(): os.wait(); time.sleep(600)  # or all of it is ended
    os.setsid()
    if os.fork(): os._exit(0)
if how == "bare" and "A" not in os.environ:
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {"A": "b"})
peer = socket.socket(socket.AF_UNIX)
peer.connect(path)
try:
    peer.sendall(line.encode())
    said = peer.recv(4096)
except OSError: said = b""
with open(answer + ".new", "wb") as stream: stream.write(said)
os.rename(answer + ".new", answer)
"""


@pytest.fixture
async def attempts(tmp_path: Path) -> AsyncIterator[Attempts]:
    made = Attempts(tmp_path)
    yield made
    await made.runner.close()
    made.sweep()


@pytest.fixture
def short() -> Iterator[Path]:
    with TemporaryDirectory(prefix="pex-") as folder:
        yield Path(folder)


async def changes(task: TaskId) -> str:
    return f"+{task}"


@pytest.mark.parametrize("how", ["plain", "daemon", "bare"])
async def test_a_process_of_a_task_is_refused_and_named(
    attempts: Attempts, short: Path, how: str
) -> None:
    posted: list[Event] = []
    path = short / "control.sock"
    server = ControlServer(path, lambda: STATE, posted.append, changes, None)
    await server.start()
    line = json.dumps({"request": "boost_run", "by": "you"}) + "\n"
    answer = short / "answer"
    script = f"import sys; sys.argv = ['x', {how!r}, {str(path)!r}, {line!r}, {str(answer)!r}]\n"

    await attempts.python("api", script + CLIENT)
    await until(answer.exists)
    server.close()

    told = json.loads(answer.read_bytes())
    assert told["ok"] is False
    assert "part of task api: an agent must not control a run" in told["error"]
    assert posted == [SteeringRefused(TaskId("api"), "boost_run")]
    # Without a marker, only its shim identifies it.
    await attempts.runner.stop(attempts.key("api"), 0.0)
    await attempts.runner.wait(attempts.key("api"))


async def test_the_environment_above_an_agent_holds_no_secret(
    attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEPLOY_TOKEN", "correct-horse-battery")
    monkeypatch.setenv("PGHOST", "correct-horse-battery")
    await attempts.shell(
        "api",
        "p=$PPID; for i in 1; do tr '\\0' '\\n' < /proc/$p/environ; "
        "p=$(awk '{print $4}' /proc/$p/stat); done; echo end",
    )
    await until(lambda: b"end" in attempts.output("api"))

    assert b"PATH=" in attempts.output("api")
    assert b"correct-horse-battery" not in attempts.output("api")


async def test_a_task_reaches_no_shim_not_even_its_own(attempts: Attempts, short: Path) -> None:
    other = await attempts.shell("other", "sleep 60")
    line = Order("stop").encode().decode()
    script = f"import sys; sys.argv = ['x', 'daemon', %r, {line!r}, %r]\n"

    for name, victim in (("first", "other"), ("second", "second")):
        control = attempts.places.attempt(attempts.key(victim).run, TaskId(victim), 1)
        answer = short / name
        find = f"import json; path = json.load(open({str(control / 'start.json')!r}))['control']\n"
        started = find + script.replace("%r", "path", 1) % str(answer)
        await attempts.python(name, started + CLIENT)
        await until(answer.exists)
        assert answer.read_bytes() == b""
    assert await give_order(attempts.record("other").control, Order("pause"))
    assert other.pid


async def test_whose_process_a_process_is(attempts: Attempts) -> None:
    assert own_keeper() is None
    await attempts.shell("api", f"echo $$ > {attempts.work}/pids; sleep 60")
    await until(lambda: attempts.pids("pids"))

    found = keeper_of(attempts.pids("pids")[0])

    assert found is not None
    assert (found.folder, found.name) == (attempts.folder("api"), "api")
    assert keeper_of(attempts.record("api").shim_pid) is None
    with pytest.raises(PeerGoneError):
        keeper_of(2**22 + 1)


def test_a_peer_that_has_gone_counts_as_nobodys() -> None:
    with TemporaryDirectory(prefix="pex-") as folder, socket.socket(socket.AF_UNIX) as listener:
        path = os.path.join(folder, "s")  # noqa: PTH118
        listener.bind(path)
        listener.listen()
        child = os.fork()
        if child == 0:
            socket.socket(socket.AF_UNIX).connect(path)
            os._exit(0)
        os.waitpid(child, 0)
        with listener.accept()[0] as connection, pytest.raises(PeerGoneError):
            peer_keeper(connection)


def test_an_attempt_to_steer_is_told_once_as_the_tasks_own() -> None:
    state, actions = step(STATE, SteeringRefused(TaskId("api"), "boost_run"))

    assert actions == ()
    assert state.notices[-1] == "api tried to steer the run (boost_run) and was refused."
    assert state.tasks == STATE.tasks


@pytest.fixture
async def control(short: Path) -> AsyncIterator[tuple[Path, list[Event]]]:
    posted: list[Event] = []
    server = ControlServer(short / "c.sock", lambda: STATE, posted.append, changes, None)
    await server.start()
    yield short / "c.sock", posted
    server.close()


def written(**fields: object) -> bytes:
    return json.dumps(fields).encode()


BAD = {
    "slots true": written(request="slots", slots=True),
    "slots text": written(request="slots", slots="3"),
    "slots fraction": written(request="slots", slots=2.0),
    "slots none": written(request="slots"),
    "slots zero": written(request="slots", slots=0),
    "slots negative": written(request="slots", slots=-1),
    "slots many": written(request="slots", slots=33),
    "slots huge": b'{"request": "slots", "slots": 1' + b"0" * 5000 + b"}",
    "slots NaN": b'{"request": "slots", "slots": NaN}',
    "slots infinite": b'{"request": "slots", "slots": 1e999}',
    "unknown key": written(request="boost_run", force=True),
    "key of another": written(request="land", task="api"),
    "by number": written(request="land", by=1),
    "by null": written(request="land", by=None),
    "by long": written(request="land", by="x" * 100),
    "by surrogate": b'{"request": "land", "by": "\\ud800"}',
    "kill text": written(request="drain", kill="yes"),
    "kill one": written(request="drain", kill=1),
    "task list": written(request="pause", task=["api"]),
    "task object": written(request="diff", task={}),
    "request list": written(request=["land"]),
    "work newline": written(request="decide", task="api", decision="edited", work="a" * 40 + "\n"),
    "work short": written(request="decide", task="api", decision="edited", work="abc"),
    "work number": written(request="decide", task="api", decision="edited", work=1),
    "decision list": written(request="decide", task="api", decision=["rerun"]),
    "verdict none": written(request="permit", task="api", permission="q"),
    "permission none": written(request="permit", task="api", verdict="deny"),
    "text number": written(request="tell", task="api", text=1),
    "text surrogate": b'{"request": "tell", "task": "api", "text": "\\udfff"}',
    "deep": b'{"request": ' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "no object": b"null",
    "no text": b"\xff\x00",
    "long": b'{"request": "' + b"x" * 10_000_000 + b'"}',
}


@pytest.mark.parametrize("line", BAD.values(), ids=BAD.keys())
async def test_what_is_not_as_it_should_be_is_refused_in_one_line(
    control: tuple[Path, list[Event]], line: bytes
) -> None:
    path, posted = control
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(line + b"\n")
    answer = json.loads(await reader.readline())
    writer.close()

    assert answer["ok"] is False
    assert 0 < len(answer["error"]) < 600
    assert "\n" not in answer["error"]
    assert posted == []
    await ask(path, request="land", by="anna")  # it keeps serving


async def test_connections_that_say_nothing_keep_nobody_out_for_good(
    control: tuple[Path, list[Event]],
) -> None:
    path, _ = control
    idle = [await asyncio.open_unix_connection(path) for _ in range(70)]
    reader, _ = idle[-1]
    with pytest.raises(ControlError, match="too many"):
        await ask(path, request="land")
    assert json.loads(await reader.readline())["ok"] is False
    for _, other in idle:
        other.close()
    answers: list[object] = []
    while not answers:
        with suppress(ControlError):
            answers.append(await ask(path, request="land"))


@pytest.mark.parametrize(
    "line",
    [
        b'{"verb": "stop", "grace_seconds": NaN, "size": 0}',
        b'{"verb": "stop", "grace_seconds": 1e999, "size": 0}',
        b'{"verb": "stop", "grace_seconds": -1, "size": 0}',
        b'{"verb": "stop", "grace_seconds": true, "size": 0}',
        b'{"verb": "stop", "grace_seconds": 0, "size": true}',
        b'{"verb": "stop", "grace_seconds": 0, "size": 1.5}',
        b'{"verb": "dance", "grace_seconds": 0, "size": 0}',
        b'{"verb": ["stop"], "grace_seconds": 0, "size": 0}',
        b'{"verb": "stop", "grace_seconds": 0, "size": 0, "more": 1}',
        b"[" * 3000,
        b"null",
        b"\xff",
    ],
)
def test_a_shim_takes_no_order_that_is_not_as_it_should_be(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        Order.decode(line)
