"""The app's cost as a process in a terminal: first paint, idle, memory, keys under load."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.e2e.conftest import Shell
from tests.e2e.terminal import Terminal
from tests.pex_process import PROGRAM

pytestmark = pytest.mark.bench

ROUNDS = 7
IDLE_SECONDS = 10.0
KEYS = 300
MEGABYTE = 1024**2
EMPTY = """
from textual.app import App
from textual.widgets import Static

class Empty(App):
    def compose(self):
        yield Static("painted")

Empty().run()
"""
LOUD = """
version: 1
goal: Ten loud agents
slots: 10
tasks:
{tasks}
"""
LOUD_SCRIPT = (
    r"import time\nfor n in range(10**9):\n print('line', n, flush=True); time.sleep(0.01)"
)
LOUD_TASK = """
  - id: agent-{number}
    writes: []
    command: ["{python}", "-c", "{script}"]
"""


@contextmanager
def opened(shell: Shell, *argv: str) -> Iterator[tuple[Terminal, psutil.Process]]:
    """pex-tui in a terminal of its own, and its process."""
    with Terminal(argv, shell.top, shell.env, 120, 40, program=PROGRAM) as terminal:
        yield terminal, psutil.Process(terminal.process.pid)


def cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def painted(shell: Shell, word: str, *program: str) -> tuple[float, float, int]:
    """Return wall and CPU seconds until the word shows, and the resident bytes then.

    No setting comes from the environment, as with most users.
    """
    plain = {name: value for name, value in shell.env.items() if not name.startswith("PEX_")}
    began = time.perf_counter()
    with Terminal((), shell.top, plain, 120, 40, program=program) as terminal:
        terminal.until(word)
        wall = time.perf_counter() - began
        process = psutil.Process(terminal.process.pid)
        used, resident = cpu(process), process.memory_info().rss
        terminal.press("\x11")  # ctrl+q
        terminal.ended()
    return wall, used, resident


def test_first_paint_and_memory_beside_an_empty_app(shell: Shell) -> None:
    empty, first, home = [], [], []
    for _ in range(ROUNDS):
        empty.append(painted(shell, "painted", sys.executable, "-c", EMPTY))
        first.append(painted(shell, "pex ", *PROGRAM))
        home.append(painted(shell, "No run", *PROGRAM))
    wall, used = (min(one[at] for one in first) / min(one[at] for one in empty) for at in range(2))
    whole = min(one[0] for one in home) / min(one[0] for one in empty)
    more = (min(one[2] for one in home) - min(one[2] for one in empty)) / MEGABYTE
    print(
        f"\nfirst paint: {min(one[0] for one in first) * 1000:.0f} ms, {wall:.2f} × an empty app's "
        f"(CPU {used:.2f} ×; target 1.3), home whole {whole:.2f} ×; memory: {more:+.1f} MB (25)"
    )


@pytest.mark.parametrize("place", ["home", "monitor"])
def test_rest(shell: Shell, place: str) -> None:
    shell.write("plan.yaml", 'version: 1\ntasks: [{id: a, command: "sleep 600", writes: []}]\n')
    argv = () if place == "home" else ("run", "plan.yaml", "--yes")
    with opened(shell, *argv) as (terminal, process):
        terminal.until("No run" if place == "home" else "running")
        time.sleep(3)
        before = cpu(process)
        time.sleep(IDLE_SECONDS)
        share = (cpu(process) - before) / IDLE_SECONDS
        print(f"\n{place} at rest: {share:.2%} of a core (target 0.5%)")
        if place == "monitor":
            terminal.press("A")
            terminal.until("Abort the run?")
            terminal.press("y")
            terminal.until("borted")


def test_key_to_paint_while_ten_agents_log(shell: Shell) -> None:
    tasks = "".join(
        LOUD_TASK.format(number=number, python=sys.executable, script=LOUD_SCRIPT)
        for number in range(10)
    )
    shell.write("plan.yaml", LOUD.format(tasks=tasks))
    with opened(shell, "run", "plan.yaml", "--yes") as (terminal, process):
        terminal.until("agent-9", "line")
        time.sleep(3)
        before, began = cpu(process), time.perf_counter()
        waits = sorted(key_to_paint(terminal, "j" if at % 18 < 9 else "k") for at in range(KEYS))
        share = (cpu(process) - before) / (time.perf_counter() - began)
        at = {part: waits[int(part * KEYS) - 1] * 1000 for part in (0.5, 0.95, 0.99)}
        print(
            f"\nkey to paint: p50 {at[0.5]:.1f} ms (10), p95 {at[0.95]:.1f} (35), "
            f"p99 {at[0.99]:.1f} (60); {share:.0%} of a core meanwhile"
        )
        terminal.press("A")
        terminal.until("Abort the run?")
        terminal.press("y")
        terminal.until("borted")


def key_to_paint(terminal: Terminal, key: str) -> float:
    """Return seconds from a key to the first bytes that move the cursor's row, then pause."""
    while terminal.pending(0.03):
        pass
    began = time.perf_counter()
    terminal.press(key)
    assert terminal.pending(2.0)
    waited = time.perf_counter() - began
    time.sleep(0.02)
    return waited


def test_memory_with_a_log_of_a_million_lines(shell: Shell, tmp_path: Path) -> None:
    script = tmp_path / "million.py"
    script.write_text("for n in range(1_000_000): print('a line of the log', n)\n")
    words = f'["{sys.executable}", "{script}"]'
    shell.write("plan.yaml", f"version: 1\ntasks: [{{id: a, command: {words}, writes: []}}]\n")
    resident = []
    for count in ("1", "1_000_000"):
        script.write_text(f"for n in range({count}): print('a line of the log', n)\n")
        with opened(shell, "run", "plan.yaml", "--yes") as (terminal, process):
            terminal.until("a line of the log", "done")
            resident.append(process.memory_info().rss)
            terminal.press("q")
            terminal.ended()
    print(f"\na million lines: {(resident[1] - resident[0]) / MEGABYTE:+.1f} MB (target 10)")


def test_a_flood_of_log_lines_costs_as_much_as_a_trickle(shell: Shell, tmp_path: Path) -> None:
    script = tmp_path / "flood.py"
    script.write_text(
        "import sys, time\nwhile True:\n"
        "    sys.stdout.write('a line of the log, long enough\\n' * (int(sys.argv[1]) // 50))\n"
        "    sys.stdout.flush(); time.sleep(0.02)\n"
    )
    shares = []
    for rate in (100, 5000):
        command = f'["{sys.executable}", "{script}", "{rate}"]'
        shell.write(
            "plan.yaml", f"version: 1\ntasks: [{{id: a, command: {command}, writes: []}}]\n"
        )
        with opened(shell, "run", "plan.yaml", "--yes") as (terminal, process):
            terminal.until("a line of the log")
            time.sleep(2)
            before, until = cpu(process), time.monotonic() + IDLE_SECONDS
            while time.monotonic() < until:
                terminal.pending(0.1)
            shares.append((cpu(process) - before) / IDLE_SECONDS)
            terminal.press("A")
            terminal.until("Abort the run?")
            terminal.press("y")
            terminal.until("aborted")
    print(
        f"\nlogs: {shares[0]:.1%} of a core at 100 lines/s, {shares[1]:.1%} at 5,000: "
        f"{shares[1] / shares[0]:.2f} × (target 1.1)"
    )


def test_a_plan_of_500_tasks_opens_and_scrolls(shell: Shell) -> None:
    lines = ["version: 1", "tasks:"]
    for number in range(500):
        needs = [f"t{number - 25 + step}" for step in (0, 7) if number >= 25]  # 20 layers of 25
        named = f", needs: [{', '.join(needs)}]" if needs else ""
        lines.append(f'  - {{id: t{number}, command: "true", writes: ["src/f{number}.py"]{named}}}')
    shell.write("plan.yaml", "\n".join(lines) + "\n")
    with opened(shell) as (terminal, _):
        terminal.until("No run")
        terminal.press("o")
        terminal.until("Open a plan")
        terminal.press(*"plan.yaml")
        began = time.perf_counter()
        terminal.press("\r")
        terminal.until("Approve & run")
        opened_after = time.perf_counter() - began
        waits = sorted(key_to_paint(terminal, "j") for _ in range(100))
        print(
            f"\n500 tasks: reviewed {opened_after:.2f} s after ⏎ (target 1), "
            f"key to paint p50 {waits[49] * 1000:.1f} ms, p95 {waits[94] * 1000:.1f} (35)"
        )
        terminal.press("q")
        terminal.ended()
