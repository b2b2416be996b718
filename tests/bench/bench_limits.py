"""What limits hold and what they cost, in the best tier of this machine and by polling."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from pex_tui.adapters.limits.tiers import available_tier
from pex_tui.adapters.limits.tree_use import tree_pids, tree_use
from pex_tui.engine.attempt import Exited, Limits
from tests.adapters.process.runs import Attempts
from tests.waiting import until

pytestmark = pytest.mark.bench

MEGABYTE = 1 << 20
LIMIT = 256 * MEGABYTE
ALLOCATOR = """
import time
began, taken, kept = time.monotonic(), 0, []
while True:
    kept.append(bytearray(b'x') * (4 << 20))
    taken += 4 << 20
    ahead = taken / 2**30 - (time.monotonic() - began)
    if ahead > 0: time.sleep(ahead)
"""
BURNER = "while True: pass"
IDLE = "import time\nkept = bytearray(b'x') * ({size} << 20)\ntime.sleep(60)"
FAMILY = "for n in 1 2 3 4; do sleep 60 & done; wait"
TIERS = [pytest.param(False, id=str(available_tier())), pytest.param(True, id="polling")]


@pytest.fixture
async def attempts(tmp_path: Path) -> AsyncIterator[Attempts]:
    made = Attempts(tmp_path)
    yield made
    await made.runner.close()
    made.sweep()


async def limited(attempts: Attempts, name: str, script: str, limits: Limits) -> None:
    launch = attempts.launch(name, sys.executable, "-I", "-S", "-c", script)
    await attempts.runner.start(replace(launch, limits=limits))


async def stopped(attempts: Attempts, name: str) -> Exited:
    await attempts.runner.stop(attempts.key(name), 0.0)
    return await attempts.runner.wait(attempts.key(name))


@pytest.mark.parametrize("polls", TIERS)
async def test_memory(attempts: Attempts, *, polls: bool) -> None:
    for turn in range(5):
        limits = Limits(memory_bytes=LIMIT, polls=polls)
        await limited(attempts, f"hog{turn}", ALLOCATOR, limits)
        ended = await attempts.runner.wait(attempts.key(f"hog{turn}"))
        assert ended.breach is not None
        took = ended.exited_at - (ended.started_at or 0.0)
        print(f"\n  peak {ended.breach.peak / MEGABYTE:.0f} MB in {took:.2f} s", end="")


@pytest.mark.parametrize("polls", TIERS)
@pytest.mark.parametrize("burners", [1, 3])
async def test_cpu(attempts: Attempts, burners: int, *, polls: bool) -> None:
    script = "import os\n" + "os.fork()\n" * (burners // 2) + BURNER
    cores = 0.2 * (os.cpu_count() or 1)
    await limited(attempts, "burner", script, Limits(cpu_cores=cores, polls=polls))
    began = time.monotonic()
    await asyncio.sleep(10)
    ended = await stopped(attempts, "burner")
    share = (ended.cpu_seconds or 0.0) / (time.monotonic() - began) / (os.cpu_count() or 1)
    print(f"\n  {share:.1%} of the machine over 10 s", end="")


@pytest.mark.parametrize("polls", TIERS)
@pytest.mark.parametrize("size", [64, 200, 240])
async def test_cost_of_watching(attempts: Attempts, size: int, *, polls: bool) -> None:
    limits = Limits(memory_bytes=LIMIT, cpu_cores=0.5, polls=polls)
    await limited(attempts, "idle", IDLE.format(size=size), limits)
    shim = attempts.record("idle").shim_pid
    await asyncio.sleep(1)
    before, began = tree_use([shim]).cpu_seconds, time.monotonic()
    await asyncio.sleep(10)
    spent = tree_use([shim]).cpu_seconds - before
    print(f"\n  {spent / (time.monotonic() - began):.2%} of a core at {size} MB", end="")


async def test_sweep_of_ten_trees(attempts: Attempts) -> None:
    for turn in range(10):
        await attempts.shell(f"family{turn}", FAMILY)
    shims = [attempts.record(f"family{turn}").shim_pid for turn in range(10)]
    await until(lambda: sum(len(tree_pids(shim)) for shim in shims) == 50)
    began = time.process_time()
    for _ in range(100):
        for shim in shims:
            tree_use(tree_pids(shim))
    print(f"\n  {(time.process_time() - began) * 10:.2f} ms for ten trees of five", end="")


@pytest.mark.parametrize("polls", TIERS)
async def test_start(attempts: Attempts, *, polls: bool) -> None:
    limits = {True: Limits(LIMIT, 0.4, 0.4, 2000, polls=polls), False: Limits(polls=True)}
    took: dict[bool, list[float]] = {True: [], False: []}
    await attempts.start("first", "true")
    for turn in range(60):
        launch = attempts.launch(f"true{turn}", "true")
        began = time.perf_counter()
        await attempts.runner.start(replace(launch, limits=limits[turn % 2 == 0]))
        await attempts.runner.wait(launch.key)
        took[turn % 2 == 0].append((time.perf_counter() - began) * 1000)
    held, plain = (sorted(took[one])[15] for one in (True, False))
    print(f"\n  start to end of `true`: {held:.1f} ms limited, {plain:.1f} ms not", end="")
