"""Whole runs compared with their bounds: `pytest -m bench tests/bench/bench_engine.py -s`.

Each plan runs headless through the command line, in one shared checkout. Times are seconds from the
first start of a process to the run's last event, start-up excluded; CPU is that of the command and
of the children it waited for.
"""

import json
import os
import random
import resource
import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.bench

SLOTS = 5


@dataclass(frozen=True)
class Measured:
    """One run, measured from outside."""

    makespan_seconds: float
    engine_cpu_seconds: float
    start_up_cpu_seconds: float
    metrics: dict[str, Any]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    top = tmp_path / "repo"
    top.mkdir()
    (top / "README.md").write_text("bench\n")
    git = ["git", "-C", str(top), "-c", "user.name=b", "-c", "user.email=b@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-qm", "init"], check=True)
    return top


def layered(count: int) -> list[dict[str, Any]]:
    """Return layers of 6 to 14 tasks of 20 to 200 ms, each needing 1 to 3 of the layer before."""
    rng = random.Random(3)  # noqa: S311  # the same graph each time
    tasks: list[dict[str, Any]] = []
    before: list[str] = []
    while len(tasks) < count:
        layer = []
        for _ in range(min(rng.randint(6, 14), count - len(tasks))):
            seconds = rng.randint(20, 200) / 1000
            task = sleeper(f"t{len(tasks)}", seconds)
            if before:
                task["needs"] = rng.sample(before, min(len(before), rng.randint(1, 3)))
            layer.append(task["id"])
            tasks.append(task)
        before = layer
    return tasks


def sleeper(name: str, seconds: float) -> dict[str, Any]:
    return {"id": name, "command": ["sleep", str(seconds)], "writes": [], "estimate": seconds}


def bound_of(tasks: list[dict[str, Any]]) -> float:
    """Return max(T∞, T₁/m) of the plan's own durations."""
    ends: dict[str, float] = {}
    for task in tasks:
        ends[task["id"]] = task["estimate"] + max(
            (ends[need] for need in task.get("needs", [])), default=0.0
        )
    work: float = sum(task["estimate"] for task in tasks)
    return max(*ends.values(), work / SLOTS)


def measure(repository: Path, tasks: list[dict[str, Any]]) -> Measured:
    plan = repository / "plan.json"
    plan.write_text(json.dumps({"version": 1, "slots": SLOTS, "tasks": tasks}))
    idle = _cpu_of([sys.executable, "-m", "pex_tui", "check", str(plan)], repository)[0]
    argv = [sys.executable, "-m", "pex_tui", "run", str(plan), "--headless", "--json"]
    cpu, output = _cpu_of(argv, repository)
    events = [json.loads(line) for line in output.splitlines()]
    assert events[-1]["outcome"] == "ok"
    first = min(event["started_at"] for event in events if event["event"] == "agent_started")
    return Measured(events[-1]["at"] - first, cpu, idle, events[-1]["metrics"])


def _cpu_of(argv: list[str], cwd: Path) -> tuple[float, str]:
    """Return CPU seconds of the process and of the children it waited for, and its output."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run(
        argv,
        cwd=cwd,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "XDG_STATE_HOME": str(cwd.parent / "state")},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, ended.stdout


def show(name: str, found: Measured, bound: float) -> None:
    ratio = found.makespan_seconds / bound
    cpu = found.engine_cpu_seconds - found.start_up_cpu_seconds
    print(
        f"\n{name}: makespan {found.makespan_seconds:.2f} s, bound {bound:.2f} s, ratio {ratio:.3f}"
        f", CPU beyond start-up {cpu:.2f} s (git and launcher included)"
    )


def test_a_layered_graph_of_200_tasks(repository: Path) -> None:
    tasks = layered(200)
    found = measure(repository, tasks)
    show("layered, 200 tasks", found, bound_of(tasks))
    assert found.metrics["work_seconds"] > 0


def test_a_long_chain_behind_fillers(repository: Path) -> None:
    fillers = [sleeper(f"f{number}", 0.1) for number in range(100)]
    chain = [sleeper(f"c{number}", 0.2) for number in range(15)]
    for earlier, later in pairwise(chain):
        later["needs"] = [earlier["id"]]
    found = measure(repository, [*fillers, *chain])
    show("15-step chain behind 100 fillers", found, bound_of([*fillers, *chain]))
    assert found.metrics["critical_path_seconds"] > 0


def test_500_times_true(repository: Path) -> None:
    tasks = [
        {"id": f"t{number}", "command": ["/bin/true"], "writes": [], "estimate": 0.001}
        for number in range(500)
    ]
    found = measure(repository, tasks)
    print(f"\n500 × true: {found.makespan_seconds / 500 * 1000:.1f} ms each")
    assert found.makespan_seconds > 0
