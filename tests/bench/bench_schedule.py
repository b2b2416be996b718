"""The planner's schedules compared with the best known: python bench_schedule.py DATA_DIR.

DATA_DIR holds scheduling instances as JSON: tasks (id, duration, needs, resources), slots,
conflicts, resources, best_known. Prints mean gaps in percent and the slowest instance.
"""

import json
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from pex_tui.planning.scheduling.timetable_search import best_timetable, lower_bound
from pex_tui.planning.scheduling.workload import Timetable, Workload


def read_workload(instance: dict[str, Any]) -> Workload:
    tasks = instance["tasks"]
    index = {task["id"]: position for position, task in enumerate(tasks)}
    names = list(instance["resources"])
    rivals: list[set[int]] = [set() for _ in tasks]
    for left, right in instance["conflicts"]:
        rivals[index[left]].add(index[right])
        rivals[index[right]].add(index[left])
    slots = instance["slots"] or len(tasks)
    return Workload(
        seconds=tuple(float(task["duration"]) for task in tasks),
        before=tuple(tuple(index[need] for need in task["needs"]) for task in tasks),
        excluded=tuple(frozenset(others) for others in rivals),
        demands=tuple(
            ((0, 1.0), *((1 + names.index(name), float(much)) for name, much in uses))
            for uses in (task["resources"].items() for task in tasks)
        ),
        capacities=(float(slots), *(float(instance["resources"][name]) for name in names)),
    )


def check(work: Workload, found: Timetable) -> None:
    """Assert that the schedule breaks no rule of the workload."""
    for position, start in enumerate(found.starts):
        assert all(found.finishes[other] <= start for other in work.before[position])
        for other in work.excluded[position]:
            apart = (
                found.finishes[other] <= start or found.starts[other] >= found.finishes[position]
            )
            assert apart
        running = [
            other
            for other in range(len(work.seconds))
            if found.starts[other] <= start < found.finishes[other]
        ]
        for resource, capacity in enumerate(work.capacities):
            taken = sum(
                much
                for other in running
                for which, much in work.demands[other]
                if which == resource
            )
            assert taken <= capacity + 1e-9


def family(name: str) -> str:
    head, _, digits = name.partition("_")
    if head == "psplib":
        return next(kind for kind in ("j120", "j30", "j60", "j90") if digits.startswith(kind))
    return head


def main(folder: Path) -> None:
    gaps: dict[str, list[float]] = defaultdict(list)
    slowest = (0.0, "")
    for path in sorted(folder.glob("*.json")):
        instance = json.loads(path.read_text())
        work = read_workload(instance)
        began = time.process_time()
        found = best_timetable(work, [0] * len(work.seconds))
        took = time.process_time() - began
        check(work, found)
        assert found.makespan >= lower_bound(work) - 1e-6
        slowest = max(slowest, (took, path.stem))
        gap = 100 * (found.makespan / instance["best_known"] - 1)
        gaps[family(path.stem)].append(gap)
        gaps[f"{family(path.stem)} ms"].append(1000 * took)
    for kind, values in sorted(gaps.items()):
        sys.stdout.write(f"{kind:12} {len(values):4} {sum(values) / len(values):8.3f}\n")
    sys.stdout.write(f"slowest: {slowest[1]} {1000 * slowest[0]:.0f} ms\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
