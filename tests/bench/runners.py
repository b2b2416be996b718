"""pex-tui beside other runners on the same work: python -m tests.bench.runners [--long].

Those that are installed of make, ninja, doit, go-task and dask take part. Each runs the same
commands with five at once, without landing anything, in turns with the others. Wall time and CPU
are of the command and of all that it started, where a cgroup (version 1) tells the latter.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from random import Random
from statistics import median

from msgspec import Struct

SLOTS, ROUNDS = 5, 3
HEAD = f"{'':12} {'wall s':>8} {'spread':>13} {'/bound':>7} {'ms/task':>8} {'CPU s':>7} {'MB':>5}"
ACCOUNTS = Path("/sys/fs/cgroup/cpuacct")


class Job(Struct, frozen=True):
    """A command of a workload: how long it sleeps, and what it needs."""

    name: str
    seconds: float
    needs: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """Return the shell command."""
        return f"sleep {self.seconds}" if self.seconds else "true"


Jobs = tuple[Job, ...]
Prepare = Callable[[Path, Jobs], list[str]]
"""Writes a runner's file into the folder; returns the command that runs it."""


def plain(count: int) -> Jobs:
    """Return commands that do nothing."""
    return tuple(Job(f"t{number}", 0.0) for number in range(count))


def layered(count: int) -> Jobs:
    """Return layers of 6 to 14 tasks of 20 to 200 ms, each with 1 to 3 needs in the one before."""
    random = Random(3)  # noqa: S311  # the same graph each time
    jobs: list[Job] = []
    before: list[str] = []
    while len(jobs) < count:
        layer = []
        for _ in range(min(random.randint(6, 14), count - len(jobs))):
            needs = random.sample(before, min(len(before), random.randint(1, 3)))
            layer.append(Job(f"t{len(jobs)}", random.randint(20, 200) / 1000, tuple(needs)))
            jobs.append(layer[-1])
        before = [job.name for job in layer]
    return tuple(jobs)


def chained() -> Jobs:
    """Return a chain of 15 steps behind 100 fillers, all of 50 ms."""
    fillers = [Job(f"f{number}", 0.05) for number in range(100)]
    chain = [Job(f"c{n}", 0.05, (f"c{n - 1}",) if n else ()) for n in range(15)]
    return (*fillers, *chain)


def bound(jobs: Jobs) -> float:
    """Return max(T∞, T₁/m) in seconds."""
    ends: dict[str, float] = {}
    for job in jobs:
        ends[job.name] = job.seconds + max((ends[need] for need in job.needs), default=0.0)
    return max(*ends.values(), sum(job.seconds for job in jobs) / SLOTS)


def make(folder: Path, jobs: Jobs) -> list[str]:
    rules = [f"{job.name}: {' '.join(job.needs)}\n\t@{job.command}\n" for job in jobs]
    names = " ".join(job.name for job in jobs)
    (folder / "Makefile").write_text(f".PHONY: all {names}\nall: {names}\n{''.join(rules)}")
    return ["make", "-s", f"-j{SLOTS}", "all"]


def ninja(folder: Path, jobs: Jobs) -> list[str]:
    rules = [
        f"build {job.name}: run {' '.join(job.needs)}\n  command = {job.command}\n" for job in jobs
    ]
    (folder / "build.ninja").write_text(f"rule run\n  command = $command\n{''.join(rules)}")
    return ["ninja", "--quiet", f"-j{SLOTS}"]


def doit(folder: Path, jobs: Jobs) -> list[str]:
    tasks = [
        {"name": job.name, "actions": [job.command], "task_dep": [f"all:{n}" for n in job.needs]}
        for job in jobs
    ]
    (folder / "dodo.py").write_text(f"def task_all():\n    yield from {tasks!r}\n")
    return [sys.executable, "-m", "doit", "-n", str(SLOTS), "-P", "thread", "-v", "0"]


def go_task(folder: Path, jobs: Jobs) -> list[str]:
    tasks = {job.name: {"deps": list(job.needs), "cmds": [job.command]} for job in jobs}
    whole = {"version": "3", "silent": True, "tasks": {**tasks, "all": {"deps": list(tasks)}}}
    (folder / "Taskfile.yml").write_text(json.dumps(whole))
    return ["task", "--concurrency", str(SLOTS), "all"]


def dask(folder: Path, jobs: Jobs) -> list[str]:
    lines = ["import subprocess", "from dask.distributed import Client"]
    lines += ["def run(command, *_): return subprocess.call(command, shell=True)"]
    lines += [
        "if __name__ == '__main__':",
        "    with Client(n_workers=1, threads_per_worker=5) as c:",
    ]
    lines += ["        found = {}"]
    lines += [
        f"        found[{job.name!r}] = c.submit(run, {job.command!r}, "
        f"*[found[n] for n in {job.needs!r}], pure=False)"
        for job in jobs
    ]
    (folder / "run.py").write_text("\n".join([*lines, "        c.gather(list(found.values()))\n"]))
    return [sys.executable, "run.py"]


def pex_tui(folder: Path, jobs: Jobs) -> list[str]:
    tasks = [
        {"id": job.name, "command": job.command, "needs": list(job.needs), "writes": []}
        | {"estimate": max(job.seconds, 0.01)}
        for job in jobs
    ]
    plan = {"version": 1, "slots": SLOTS, "tasks": tasks}
    (folder / "plan.json").write_text(json.dumps(plan))
    git = ["git", "-C", str(folder), "-c", "user.name=b", "-c", "user.email=b@example.org"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "begin"]):
        subprocess.run([*git, *words], check=True)
    return [sys.executable, "-m", "pex_tui", "run", "plan.json", "--headless", "--yes"]


def runners() -> dict[str, Prepare]:
    """Return the runners that are installed."""
    programs: dict[str, Prepare] = {"make": make, "ninja": ninja, "task": go_task}
    found = {name: prepare for name, prepare in programs.items() if shutil.which(name)}
    modules: dict[str, Prepare] = {"doit": doit, "distributed": dask}
    found |= {name: prepare for name, prepare in modules.items() if find_spec(name)}
    return found | {"pex-tui": pex_tui}


class Cost(Struct, frozen=True):
    """One run: wall and CPU seconds, and the megabytes of its largest process."""

    wall: float
    cpu: float
    megabytes: int


def measure(prepare: Prepare, jobs: Jobs) -> Cost:
    """Run the jobs once in a folder of their own."""
    with tempfile.TemporaryDirectory() as top:
        folder = Path(top, "work")
        folder.mkdir()
        argv = prepare(folder, jobs)
        env = {**os.environ, "XDG_STATE_HOME": str(Path(top, "state"))}
        account = _account()
        begin, before = time.perf_counter(), _cpu(account)
        process = subprocess.Popen(
            argv,
            cwd=folder,
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: _join(account),  # noqa: PLW1509  # this process has one thread
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{argv[0]} ended with {process.returncode}")
        own = used.ru_utime + used.ru_stime
        return Cost(wall, _cpu(account) - before if account else own, used.ru_maxrss // 1024)


def _account() -> Path | None:
    """Return a cgroup that counts CPU, made for this purpose; None where there is none."""
    folder = ACCOUNTS / f"pex-bench-{os.getpid()}"
    with suppress(OSError):
        folder.mkdir(exist_ok=True)
        return folder
    return None


def _join(account: Path | None) -> None:
    if account is not None:
        (account / "cgroup.procs").write_text("0")


def _cpu(account: Path | None) -> float:
    return 0.0 if account is None else int((account / "cpuacct.usage").read_text()) / 1e9


def main() -> None:
    """Print a table for each workload."""
    counts = (500, 5000) if "--long" in sys.argv else (500,)
    works = {"start-up (one true)": plain(1)} | {f"{n} × true": plain(n) for n in counts}
    works |= {"graph of 200 tasks": layered(200), "chain behind 100 fillers": chained()}
    print(f"{os.cpu_count()} cores, {SLOTS} at once, medians of {ROUNDS} rounds in turns")
    for title, jobs in works.items():
        costs: dict[str, list[Cost]] = {name: [] for name in runners()}
        for _ in range(ROUNDS):
            for name, prepare in runners().items():
                costs[name].append(measure(prepare, jobs))
        least = bound(jobs)
        print(f"\n{title}" + (f" (bound {least:.2f} s)" if least else ""))
        print(HEAD)
        for name, found in costs.items():
            walls = sorted(one.wall for one in found)
            wall, cpu = median(walls), median(one.cpu for one in found)
            ratio = f"{wall / least:7.2f}" if least else f"{'–':>7}"
            spread = f"{walls[0]:.2f}–{walls[-1]:.2f}"
            most = max(one.megabytes for one in found)
            row = f"{name:12} {wall:8.2f} {spread:>13} {ratio} {1000 * wall / len(jobs):8.2f}"
            print(f"{row} {cpu:7.2f} {most:5}")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
