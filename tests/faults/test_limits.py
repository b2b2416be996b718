"""Agents that want everything: each is ended for its limit, in words, and leaves nothing behind."""

import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from pex_tui.adapters.limits.cgroup_mounts import UNIFIED, own_cgroups
from pex_tui.adapters.limits.tiers import available_tier, cgroup_name, find_base
from pex_tui.adapters.limits.values import LimitRequest, Tier
from pex_tui.adapters.process.records import read_exit
from pex_tui.engine.attempt import Exited, Limits
from tests.adapters.process.runs import Attempts, lives
from tests.waiting import until

pytestmark = pytest.mark.faults

BASE = find_base()
TIERS = [
    pytest.param(
        False,
        id="kernel",
        marks=pytest.mark.skipif(
            available_tier() is Tier.POLLING, reason="no cgroup can be made here"
        ),
    ),
    pytest.param(True, id="polling"),
]
MEGABYTE = 1 << 20
HOG = """
import time
kept = []
while True:
    kept.append(bytearray(b'x') * (4 << 20))
    time.sleep(0.004)
"""
BOMB = """
import os, time
for _ in range(7):  # a bomb with a fuse: 128 processes if it is not stopped
    try:
        if os.fork() == 0: os.setsid()
    except OSError: pass
time.sleep(60)
"""
FILLER = """
import time
with open('big', 'wb') as file:
    while True:
        file.write(b'x' * (1 << 20)); file.flush(); time.sleep(0.005)
"""


@pytest.fixture
async def attempts(tmp_path: Path) -> AsyncIterator[Attempts]:
    made = Attempts(tmp_path)
    yield made
    await made.runner.close()
    made.sweep()


async def start(attempts: Attempts, name: str, script: str, limits: Limits) -> None:
    launch = attempts.launch(name, sys.executable, "-I", "-S", "-c", script)
    await attempts.runner.start(replace(launch, limits=limits))


async def ended(attempts: Attempts, script: str, limits: Limits) -> Exited:
    await start(attempts, "wild", script, limits)
    return await attempts.runner.wait(attempts.key("wild"))


def left_over(attempts: Attempts) -> list[Path]:
    """Return the cgroups of this test's attempts that are still there."""
    pid = attempts.runner.launcher_pid
    folders = BASE.folders if BASE else ()
    if available_tier() is Tier.SYSTEMD:
        folders = (own_cgroups(Path(f"/proc/{pid}"))[UNIFIED][1].parent,)
    return [path for folder in folders for path in folder.glob(f"pex-{pid}-*")]


@pytest.mark.parametrize("polls", TIERS)
async def test_a_memory_hog_is_ended_at_its_limit(attempts: Attempts, *, polls: bool) -> None:
    found = await ended(attempts, HOG, Limits(memory_bytes=96 * MEGABYTE, polls=polls))

    assert found.breach is not None
    assert (found.breach.subject, found.breach.limit) == ("memory", 96 * MEGABYTE)
    tier = "best effort, polling" if polls else "hard, "
    assert found.breach.words.startswith(f"over its memory limit: 96M ({tier}")
    assert found.breach.peak >= 0.9 * 96 * MEGABYTE
    await until(lambda: read_exit(attempts.folder("wild")) is not None)
    record = read_exit(attempts.folder("wild"))
    assert record is not None
    assert (record.over, record.limit) == ("memory", 96 * MEGABYTE)
    assert record.tier == found.breach.tier


@pytest.mark.parametrize("polls", TIERS)
async def test_a_fork_bomb_is_ended_at_its_limit(attempts: Attempts, *, polls: bool) -> None:
    found = await ended(attempts, BOMB, Limits(processes=40, polls=polls))

    assert found.breach is not None
    assert found.breach.subject == "processes"
    assert "over its limit of processes: 40" in found.breach.words


async def test_a_disk_filler_is_ended_at_its_limit(attempts: Attempts) -> None:
    found = await ended(attempts, FILLER, Limits(disk_bytes=16 * MEGABYTE))

    assert found.breach is not None
    assert found.breach.words.startswith("over its disk limit: 16M")


@pytest.mark.parametrize("polls", TIERS)
async def test_a_tree_within_its_limits_ends_by_itself_with_its_use(
    attempts: Attempts, *, polls: bool
) -> None:
    script = "held = bytearray(b'x') * (48 << 20)\nfor _ in range(2_000_000): pass"
    limits = Limits(128 * MEGABYTE, 1.0, 1.0, 50, 64 * MEGABYTE, polls)
    found = await ended(attempts, script, limits)

    assert (found.exit_code, found.breach) == (0, None)
    assert found.peak_bytes is not None
    assert 48 * MEGABYTE < found.peak_bytes < 128 * MEGABYTE
    assert found.cpu_seconds


@pytest.mark.parametrize("polls", TIERS)
async def test_programs_that_burn_the_processor_get_no_more_than_their_limit(
    attempts: Attempts, *, polls: bool
) -> None:
    burn = "import time\nuntil = time.monotonic() + 1.5\nwhile time.monotonic() < until: pass"
    names = ("one", "two", "three")
    for name in names:
        await start(attempts, name, burn, Limits(cpu_cores=0.2, polls=polls))
    for name in names:
        found = await attempts.runner.wait(attempts.key(name))
        assert found.started_at is not None
        seconds = found.exited_at - found.started_at
        # A start may take its share of a period, or of a turn, before it is held.
        assert (found.cpu_seconds or 0.0) < 0.2 * seconds + 0.25


@pytest.mark.parametrize("polls", TIERS)
async def test_a_tree_that_is_stopped_for_its_cpu_limit_pauses_and_ends_as_any(
    attempts: Attempts, *, polls: bool
) -> None:
    await start(attempts, "burner", "while True: pass", Limits(cpu_cores=0.1, polls=polls))
    key = attempts.key("burner")

    assert await attempts.runner.pause(key)
    assert await attempts.runner.resume(key)
    await attempts.runner.stop(key, 5.0)
    assert (await attempts.runner.wait(key)).signal == signal.SIGTERM


def badness(pid: int) -> int:
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text())


async def test_programs_are_the_kernels_first_victims_and_their_shims_are_not(
    attempts: Attempts,
) -> None:
    for urgency, name in enumerate(("low", "normal", "high", "critical"), -1):
        await start(attempts, name, "import time; time.sleep(60)", Limits(urgency=urgency))
        record = attempts.record(name)

        assert badness(record.root_pid) == max(500 - 100 * urgency, badness(os.getpid()))
        assert badness(record.shim_pid) == badness(os.getpid())


@pytest.mark.skipif(BASE is None, reason="no cgroup is writable here")
@pytest.mark.parametrize("polls", [False, True])
async def test_who_is_killed_for_the_machine_is_not_said_to_be_over_a_limit(
    attempts: Attempts, *, polls: bool
) -> None:
    wait = "import os, time\nwhile not os.path.exists('go'): time.sleep(0.01)\n"
    await start(attempts, "hog", wait + HOG, Limits(polls=polls))
    assert BASE is not None
    container = BASE.cgroup(cgroup_name(os.getpid(), "around"))
    if polls:
        container.create()
        container.enter(attempts.record("hog").root_pid)
    else:  # the cgroup that a tree gets once it has lived for a while
        await until(lambda: left_over(attempts) != [])
        container = BASE.cgroup(left_over(attempts)[0].name)
    container.hold(LimitRequest(memory_bytes=64 * MEGABYTE))
    (attempts.work / "go").touch()
    found = await attempts.runner.wait(attempts.key("hog"))
    container.remove()

    assert found.breach is not None
    assert found.breach.words == "killed by the kernel because the machine ran out of memory"
    assert (found.peak_bytes or 0) > 48 * MEGABYTE


async def test_no_cgroup_outlives_its_attempt(attempts: Attempts) -> None:
    await ended(attempts, "pass", Limits(processes=50))

    await until(lambda: left_over(attempts) == [])


async def test_the_cgroup_of_a_killed_shim_is_removed(attempts: Attempts) -> None:
    await start(attempts, "a", "import time; time.sleep(60)", Limits(processes=50))
    pid = attempts.record("a").root_pid
    os.kill(attempts.record("a").shim_pid, signal.SIGKILL)

    assert (await attempts.runner.wait(attempts.key("a"))).lost
    assert not lives(pid)
    await until(lambda: left_over(attempts) == [])
