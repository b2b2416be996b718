"""Survival: engines, shims and launchers that are killed, and trees that refuse to die."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pex_tui.adapters.process import bounded_log
from pex_tui.adapters.process.bounded_log import BoundedLog
from pex_tui.adapters.process.records import START, write_record
from pex_tui.adapters.process.runner import ShimRunner
from pex_tui.adapters.system.kernel import TABLE
from pex_tui.engine.attempt import Exited, Started
from tests.adapters.process.runs import CLOCK, RUN, Attempts, lives
from tests.waiting import until

pytestmark = pytest.mark.faults

ENGINE = Path(__file__).with_name("engine_process.py")
CHECKOUT = Path(__file__).resolve().parents[2]
FOREVER = "while :; do sleep 1; done"

# Six processes: a root, a plain child, one in its own session, one double fork, one double fork
# with an empty environment in a session of its own, and a sleeper.
FAMILY = f"""
echo $$ >> pids
sh -c 'echo $$ >> pids; {FOREVER}' &
setsid sh -c 'echo $$ >> pids; {FOREVER}' &
(sh -c 'echo $$ >> pids; {FOREVER}' &)
(setsid env -i sh -c 'echo $$ >> pids; {FOREVER}' &)
{FOREVER}
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open('up', 'w').close()
while True: time.sleep(1)
"""
# Every process forks the next one and exits, in three lines, in ever new sessions.
SELF_FORKING = """
import os, time
for line in range(3):
    if os.fork() == 0:
        break
else:
    while True: time.sleep(1)
count = 0
while True:
    if os.fork():
        os._exit(0)
    os.setsid()
    count += 1
    if count == 20 and line == 0:
        open('up', 'w').close()
    time.sleep(0.0005)
"""


def engine(
    attempts: Attempts,
    agents: dict[str, list[str]],
    *,
    say: tuple[str, ...] = (),
    stop: float | None = None,
) -> dict[str, Started]:
    """Run an engine that starts the agents, kill -9 it once it is done; return what it started."""
    wish = {
        "root": str(attempts.root),
        "work": str(attempts.work),
        "path": os.environ["PATH"],
        "run": RUN,
        "agents": agents,
        "speaks": bool(say),
        "say": say,
        "stop": stop,
    }
    with subprocess.Popen(
        [sys.executable, str(ENGINE), json.dumps(wish)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    ) as process:
        assert process.stdout is not None
        started = {}
        for line in process.stdout:
            if line == "done\n":
                break
            name, pid, at = line.split()
            started[name] = Started(int(pid), float(at))
        process.kill()
    assert len(started) == len(agents)
    return started


def _pid(found: object) -> int:
    assert isinstance(found, Started)
    return found.pid


async def test_ten_agents_outlive_a_killed_engine_and_are_adopted(attempts: Attempts) -> None:
    names = [f"agent-{number}" for number in range(10)]
    script = f"echo started $PEX_TREE; {FAMILY}"
    started = engine(attempts, {name: ["sh", "-c", script] for name in names})
    adopted = {name: await attempts.runner.adopt(attempts.key(name)) for name in names}
    assert {name: _pid(found) for name, found in adopted.items()} == {
        name: one.pid for name, one in started.items()
    }
    await until(lambda: len(attempts.pids("pids")) == 50)
    for name in names:
        await attempts.runner.stop(attempts.key(name), 2.0)
    ended = await asyncio.gather(*(attempts.runner.wait(attempts.key(name)) for name in names))
    assert {one.signal for one in ended} == {signal.SIGTERM}
    assert [pid for pid in attempts.pids("pids") if lives(pid)] == []
    assert [len(attempts.output(name).splitlines()) for name in names] == [1] * 10


async def test_an_agent_that_ended_after_its_engine_is_found_by_its_record(
    attempts: Attempts,
) -> None:
    script = "until [ -e go ]; do sleep 0.01; done; exit 9"
    engine(attempts, {"one": ["sh", "-c", script]})
    (attempts.work / "go").touch()
    await until((attempts.folder("one") / "exit.json").exists)
    ended = await attempts.runner.wait(attempts.key("one"))
    assert (ended.exit_code, ended.lost) == (9, False)


async def test_a_stop_goes_on_when_the_engine_dies_right_after_asking(attempts: Attempts) -> None:
    engine(attempts, {"one": [sys.executable, "-c", STUBBORN]}, stop=0.5)
    ended = await attempts.runner.wait(attempts.key("one"))
    assert ended.signal in {signal.SIGTERM, signal.SIGKILL}
    assert not lives(attempts.record("one").root_pid)


async def test_a_conversation_goes_on_with_the_next_engine(attempts: Attempts) -> None:
    speaker = "import sys\nfor line in sys.stdin: print('heard', line.strip(), flush=True)"
    engine(attempts, {"one": [sys.executable, "-c", speaker]}, say=("a\n", "b\n"))
    key = attempts.key("one")
    assert isinstance(await attempts.runner.adopt(key), Started)
    assert await attempts.runner.send(key, b"c\n")
    assert await attempts.runner.end_input(key)
    assert (await attempts.runner.wait(key)).exit_code == 0
    assert attempts.output("one") == b"heard a\nheard b\nheard c\n"
    assert (attempts.folder("one") / "input.log").read_bytes() == b"a\nb\nc\n"


async def test_a_killed_shim_makes_the_attempt_lost_and_ends_its_strays(
    attempts: Attempts,
) -> None:
    await attempts.shell("one", FAMILY.replace("setsid env -i", "env -i"))
    await until(lambda: len(attempts.pids("pids")) == 5)
    os.kill(attempts.record("one").shim_pid, signal.SIGKILL)
    ended = await attempts.runner.wait(attempts.key("one"))
    assert ended.lost
    assert (ended.exit_code, ended.signal) == (None, None)
    assert [pid for pid in attempts.pids("pids") if lives(pid)] == []
    assert not Path(attempts.record("one").control).exists()


async def test_a_shim_killed_before_the_next_engine_came_is_lost_as_well(
    attempts: Attempts,
) -> None:
    engine(attempts, {"one": ["sh", "-c", FOREVER]})
    record = attempts.record("one")
    os.kill(record.shim_pid, signal.SIGKILL)
    await until(lambda: not lives(record.shim_pid))
    ended = await attempts.runner.adopt(attempts.key("one"))
    assert isinstance(ended, Exited)
    assert ended.lost
    assert not lives(record.root_pid)


@pytest.mark.parametrize("changed", ["start", "boot"])
async def test_a_reused_pid_or_another_boot_is_never_signalled(
    attempts: Attempts, changed: str
) -> None:
    await attempts.shell("other", FOREVER)
    others = attempts.record("other")
    nobodys = "0123456789abcdef"
    forged = (
        others._replace(shim_started=others.shim_started - 1, root_started=1, token=nobodys)
        if changed == "start"
        else others._replace(boot_id="another boot")
    )
    folder = attempts.folder("forged")
    folder.mkdir(parents=True)
    write_record(folder, START, forged, sync=False)
    ended = await attempts.runner.adopt(attempts.key("forged"))
    assert isinstance(ended, Exited)
    assert ended.lost
    await attempts.runner.stop(attempts.key("forged"), 0.0)
    assert lives(others.shim_pid)
    assert lives(others.root_pid)
    await attempts.runner.stop(attempts.key("other"), 5.0)
    assert (await attempts.runner.wait(attempts.key("other"))).signal == signal.SIGTERM


async def test_a_torn_start_record_is_a_lost_attempt(attempts: Attempts) -> None:
    folder = attempts.folder("one")
    folder.mkdir(parents=True)
    (folder / START).write_bytes(b'{"boot_id": "x", "shim')
    ended = await attempts.runner.adopt(attempts.key("one"))
    assert isinstance(ended, Exited)
    assert ended.lost


async def test_what_ignores_the_polite_signal_is_killed_at_the_grace(attempts: Attempts) -> None:
    await attempts.python("one", STUBBORN)
    await until((attempts.work / "up").exists)
    asked = time.monotonic()
    await attempts.runner.stop(attempts.key("one"), 1.0)
    ended = await attempts.runner.wait(attempts.key("one"))
    assert ended.signal == signal.SIGKILL
    assert time.monotonic() - asked >= 1.0


async def test_a_second_stop_shortens_the_grace_of_the_first(attempts: Attempts) -> None:
    await attempts.python("one", STUBBORN)
    await until((attempts.work / "up").exists)
    await attempts.runner.stop(attempts.key("one"), 3600.0)  # longer than any test may take
    await attempts.runner.stop(attempts.key("one"), 0.0)
    await attempts.runner.wait(attempts.key("one"))
    assert not any(lives(pid) for pid in attempts.pids("up"))


async def test_a_program_may_clean_up_within_the_grace(attempts: Attempts) -> None:
    script = "trap 'echo cleaned; exit 0' TERM; touch up; while :; do sleep 0.01; done"
    await attempts.shell("one", script)
    await until((attempts.work / "up").exists)
    await attempts.runner.stop(attempts.key("one"), 10.0)
    assert (await attempts.runner.wait(attempts.key("one"))).exit_code == 0
    assert attempts.output("one").endswith(b"cleaned\n")


async def test_no_child_survives_in_whatever_way_it_was_made(attempts: Attempts) -> None:
    await attempts.shell("one", FAMILY)
    await until(lambda: len(attempts.pids("pids")) == 5)
    await attempts.runner.stop(attempts.key("one"), 1.0)
    await attempts.runner.wait(attempts.key("one"))
    assert [pid for pid in attempts.pids("pids") if lives(pid)] == []


async def test_a_self_forking_tree_is_dead_in_the_end(attempts: Attempts) -> None:
    await attempts.python("one", SELF_FORKING)
    await until((attempts.work / "up").exists)
    await attempts.runner.stop(attempts.key("one"), 0.0)
    await attempts.runner.wait(attempts.key("one"))
    assert TABLE.marked(f"PEX_TREE={attempts.record('one').token}") == []


async def test_a_self_forking_tree_can_be_frozen(attempts: Attempts) -> None:
    await attempts.python("one", SELF_FORKING)
    await until((attempts.work / "up").exists)
    marker = f"PEX_TREE={attempts.record('one').token}"
    assert await attempts.runner.pause(attempts.key("one"))
    frozen = set(TABLE.marked(marker)) - {attempts.record("one").shim_pid}
    # One that was in the kernel passes through "running" before it stops.
    await until(lambda: all(stat is None or stat.is_halted for stat in map(TABLE.stat, frozen)))
    assert set(TABLE.marked(marker)) - {attempts.record("one").shim_pid} == frozen
    await attempts.runner.stop(attempts.key("one"), 0.0)
    await attempts.runner.wait(attempts.key("one"))
    assert TABLE.marked(marker) == []


@pytest.mark.parametrize("grace_seconds", [0.0, 1.0])
async def test_a_frozen_tree_can_be_ended(attempts: Attempts, grace_seconds: float) -> None:
    await attempts.shell("one", FAMILY)
    await until(lambda: len(attempts.pids("pids")) == 5)
    assert await attempts.runner.pause(attempts.key("one"))
    await attempts.runner.stop(attempts.key("one"), grace_seconds)
    ended = await attempts.runner.wait(attempts.key("one"))
    assert ended.signal in {signal.SIGTERM, signal.SIGKILL}
    assert [pid for pid in attempts.pids("pids") if lives(pid)] == []


async def test_a_frozen_tree_whose_root_is_killed_leaves_nothing(attempts: Attempts) -> None:
    started = await attempts.shell("one", FAMILY)
    await until(lambda: len(attempts.pids("pids")) == 5)
    assert await attempts.runner.pause(attempts.key("one"))
    os.kill(started.pid, signal.SIGKILL)
    assert (await attempts.runner.wait(attempts.key("one"))).signal == signal.SIGKILL
    assert [pid for pid in attempts.pids("pids") if lives(pid)] == []


async def test_a_grandchild_that_holds_stdout_delays_the_end_by_less_than_a_second(
    attempts: Attempts,
) -> None:
    script = "(trap '' TERM; while :; do sleep 1; done) & echo $! > pids; exit 5"
    await attempts.shell("one", script)
    ended = await attempts.runner.wait(attempts.key("one"))
    assert ended.exit_code == 5
    assert time.time() - ended.exited_at < 1
    assert not lives(attempts.pids("pids")[0])


async def test_a_shim_that_is_asked_to_go_ends_its_tree_first(attempts: Attempts) -> None:
    await attempts.shell("one", FAMILY)
    await until(lambda: len(attempts.pids("pids")) == 5)
    os.kill(attempts.record("one").shim_pid, signal.SIGTERM)
    ended = await attempts.runner.wait(attempts.key("one"))
    assert (ended.signal, ended.lost) == (signal.SIGTERM, False)
    assert [pid for pid in attempts.pids("pids") if lives(pid)] == []


async def test_a_program_that_signals_its_group_does_not_reach_its_shim(attempts: Attempts) -> None:
    await attempts.shell("one", "kill -KILL 0")
    ended = await attempts.runner.wait(attempts.key("one"))
    assert (ended.signal, ended.lost) == (signal.SIGKILL, False)


async def test_huge_lines_and_binary_output_are_kept_as_they_are(attempts: Attempts) -> None:
    script = (
        "import sys; out = sys.stdout.buffer\n"
        "out.write(b'x' * 200_000 + b'\\n' + bytes(range(256)) + b'\\n\\xff\\x00end')\n"
    )
    await attempts.python("one", script)
    seen = [told async for told in attempts.runner.reports(attempts.key("one"))]
    await attempts.runner.wait(attempts.key("one"))
    assert attempts.output("one") == b"x" * 200_000 + b"\n" + bytes(range(256)) + b"\n\xff\x00end"
    assert seen[-1].activity == "\ufffdend"


async def test_a_flood_takes_up_no_more_than_its_limit_and_that_is_said(
    attempts: Attempts,
) -> None:
    limit = 1 << 20
    said: list[str] = []
    await attempts.runner.close()
    attempts.runner = ShimRunner(attempts.places, CLOCK, log_limit=limit)
    attempts.runner.say = said.append
    await attempts.shell("one", "echo begin; yes | head -c 30000000; echo end")
    await attempts.runner.wait(attempts.key("one"))
    found = (attempts.folder("one") / "output.log").stat()
    assert found.st_size == 30_000_000 + len("begin\nend\n")
    assert found.st_blocks * 512 <= limit + 8192
    output = attempts.output("one")
    assert output.startswith(b"begin\ny\ny\n")
    assert output.endswith(b"y\ny\nend\n")
    assert said == [
        "one prints more than 1M: the middle of its log is left out (monitoring.log_limit)."
    ]


async def test_without_holes_a_flood_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_log, "_punch", lambda *_: False)
    log = tmp_path / "output.log"
    log.write_bytes(b"x" * (1 << 20))
    BoundedLog(log, 1 << 18, may_cut=False).look()
    assert log.stat().st_size == 1 << 20
    BoundedLog(log, 1 << 18, may_cut=True).look()
    assert log.stat().st_size == 1 << 16
