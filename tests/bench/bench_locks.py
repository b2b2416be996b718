"""Ten agents, ten locks, any order: time of two thousand acquisitions, and length of deadlocks."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Shell

pytestmark = pytest.mark.bench

AGENTS, LOCKS, ROUNDS, DEPTH = 10, 10, 67, 3

AGENT = """
import os, pathlib, random, sys
from pex_tui.adapters.ipc import lock_client as client

done = pathlib.Path(sys.argv[1], os.environ["PEX_TASK"])
count = int(done.read_text() or 0) if done.exists() else 0
draw = random.Random(os.environ["PEX_TASK"] + os.environ["PEX_ATTEMPT"])
ask = client._ask

def take(names, within):
    claim = client.Claim(os.environ["PEX_SOCKET"], os.environ["PEX_TASK"],
                         int(os.environ["PEX_ATTEMPT"]), os.environ["PEX_TOKEN"],
                         (names[0],), print, within=within)
    connection = ask(claim, None)
    if names[1:]:
        take(names[1:], (*within, claim.name))
    connection.sendall(b'{"release": true}\\n')
    connection.close()

while count < int(sys.argv[2]):
    take(draw.sample([f"l{n}" for n in range(int(sys.argv[3]))], int(sys.argv[4])), ())
    count += 1
    done.write_text(str(count))
"""


def asks(events: list[dict[str, Any]]) -> list[float]:
    return [event["at"] for event in events if event["event"] == "lock_asked"]


def test_ten_agents_and_ten_locks(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "done").mkdir()
    (tmp_path / "agent.py").write_text(AGENT)
    argv = [sys.executable, str(tmp_path / "agent.py"), str(tmp_path / "done")]
    argv += [str(ROUNDS), str(LOCKS), str(DEPTH)]
    tasks = [{"id": f"t{n}", "writes": [], "command": argv, "retries": 0} for n in range(AGENTS)]
    plan = shell.write("plan.json", json.dumps({"version": 1, "slots": AGENTS, "tasks": tasks}))
    began = time.perf_counter()
    ended = shell.pex("run", str(plan), "--headless", "--json", "--name", "locks")
    seconds = time.perf_counter() - began
    assert ended.returncode == 0, ended.stderr
    events = [json.loads(line) for line in ended.stdout.splitlines()]
    asked = len(asks(events))
    ends = [one for one in events if one["event"] == "agent_exited" and one["exit_code"] != 0]
    ages = [
        one["exited_at"] - max(at for at in asks(events) if at <= one["exited_at"]) for one in ends
    ]
    assert asked >= AGENTS * ROUNDS * DEPTH
    worst = max(ages, default=0.0) * 1000
    print(
        f"\n{asked} acquisitions by {AGENTS} agents in {seconds:.1f} s, {len(ends)} deadlocks: the "
        f"longest was broken, and its victim gone, within {worst:.0f} ms (100)"
    )
