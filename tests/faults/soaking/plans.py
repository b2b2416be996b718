"""Random plans of tasks that work, fail, collide, flood and leave processes behind."""

import json
from random import Random
from typing import Any

WORK = 'set -e; mkdir -p work; echo "work $PEX_RUN $PEX_TASK $PEX_ATTEMPT." > work/$PEX_TASK.txt'
"""It fails where the disk is full: a command that ended well with an empty file would be done."""
GATE = "sleep 0.1; ! grep -rqs bad work"

KINDS = {
    "plain": f"{WORK}; sleep SECONDS",
    "late": f"sleep SECONDS; {WORK}",
    "collides": f"sleep SECONDS; echo $PEX_TASK >> shared.txt; {WORK}",
    "flaky": f"sleep SECONDS; {WORK}; [ $PEX_ATTEMPT -ge 2 ]",
    "red": f"{WORK}; [ $PEX_ATTEMPT -ge 2 ] || echo bad > work/$PEX_TASK.red; sleep SECONDS; "
    "[ $PEX_ATTEMPT -lt 2 ] || rm -f work/$PEX_TASK.red",
    "floods": f"yes | head -c 1000000; {WORK}",
    "leaves": f"{WORK}; (setsid env -i sleep 900 &) ; (trap '' TERM; sleep 900) & sleep SECONDS",
    "stubborn": f"trap '' TERM; {WORK}; for n in 1 2 3 4 5; do sleep 0.SHORT; done",
    "commits": f"{WORK}; git add -A; git commit -qm own; sleep SECONDS",
    "outputs": f"{WORK}; sleep SECONDS; echo out > $PEX_OUTPUTS/out.txt",
    "many": f"mkdir -p many; for n in $(seq 200); do echo $n > many/$PEX_TASK.$n; done; {WORK}",
}
"""Commands; SECONDS and SHORT are replaced by random numbers."""


def make_plan(dice: Random, most_tasks: int, *, slots: int | None = None) -> str:
    """Return a plan as JSON."""
    tasks: list[dict[str, Any]] = []
    for number in range(dice.randint(min(3, most_tasks), most_tasks)):
        made = _task(dice, f"t{number}")
        earlier = [task["id"] for task in tasks[-6:]]
        if earlier and dice.random() < 0.4:
            made["needs"] = dice.sample(earlier, min(len(earlier), dice.randint(1, 2)))
        tasks.append(made)
    plan: dict[str, Any] = {"version": 1, "goal": "Soak", "tasks": tasks}
    plan["slots"] = slots or dice.randint(1, 5)
    if dice.random() < 0.7:
        plan["verify"] = [["sh", "-c", GATE]]
    return json.dumps(plan)


def _task(dice: Random, name: str) -> dict[str, Any]:
    made: dict[str, Any] = {"id": name, "retries": dice.randint(1, 3)}
    roll = dice.random()
    if roll < 0.12:
        return made | {"agent": "coder", "prompt": "Write your file.", "writes": [f"work/{name}.*"]}
    if roll < 0.2:
        return made | {"command": f"sleep 0.{dice.randint(1, 9)}; cat base.txt", "writes": []}
    kind = dice.choice(sorted(KINDS))
    seconds = f"{dice.uniform(0.05, 1.5):.2f}"
    command = KINDS[kind].replace("SECONDS", seconds).replace("SHORT", str(dice.randint(1, 4)))
    made["command"] = command
    if dice.random() < 0.5:
        shared = ["shared.txt"] if kind == "collides" and dice.random() < 0.5 else []
        many = ["many/**"] if kind == "many" else []
        made["writes"] = [f"work/{name}.*", *shared, *many]
    if dice.random() < 0.15:
        made["locks"] = ["db"]
    if dice.random() < 0.2:
        made["priority"] = dice.choice(["critical", "high", "low"])
    if dice.random() < 0.1:
        made["timeout"] = "20s"
    return made
