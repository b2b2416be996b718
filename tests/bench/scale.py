"""CPU of the engine's core for one event, by the size of the plan: python -m tests.bench.scale.

Each plan runs to its end by the real `step` and `dispatch`, with a clock in place of agents and
git. What an event costs must not grow with the plan.
"""

import resource
import sys
import time
from random import Random

from msgspec.structs import replace

from pex_tui.core.events.run_events import RunPlanned
from pex_tui.core.figures.simulation import _Clockwork
from pex_tui.core.model.ids import CommitId, RunId, TaskId
from pex_tui.core.model.plan import Pace, Plan, TaskSpec
from pex_tui.core.step import begin
from pex_tui.settings.model import Settings

SIZES = (100, 500, 2_000, 5_000, 20_000)
SLOTS = 8


def plan_of(count: int) -> Plan:
    """Return tasks of 5 to 50 s, each with up to three needs among the hundred before it."""
    random = Random(count)  # noqa: S311  # the same plan each time
    tasks: list[TaskSpec] = []
    for number in range(count):
        before = tasks[-100:]
        needs = random.sample(before, min(len(before), random.randint(0, 3)))
        spec = TaskSpec(TaskId(f"t{number}"), ("true",), needs=tuple(one.id for one in needs))
        seconds = random.uniform(5.0, 50.0)
        tasks.append(replace(spec, writes=(f"f{number}",), estimate_seconds=seconds))
    return Plan(tuple(tasks), slots=SLOTS)


def measure(count: int) -> tuple[int, float]:
    """Return the number of events of a run, and its CPU seconds."""
    plan = plan_of(count)
    planned = RunPlanned(
        RunId("scale"), plan, Settings().rules(), CommitId("0" * 40), "", None, seed=0
    )
    begun = begin(planned)
    before = time.process_time()
    clock = _Clockwork(begun, [spec.estimate_seconds for spec in plan.tasks], Pace())
    clock.run()
    return clock.state.seq, time.process_time() - before


def main() -> None:
    """Print a row for each size."""
    print(f"{'tasks':>7} {'events':>8} {'ms/event':>9} {'MB':>6}")
    for count in map(int, sys.argv[1:]) if sys.argv[1:] else SIZES:
        events, seconds = min((measure(count) for _ in range(2)), key=lambda one: one[1])
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"{count:7} {events:8} {1000 * seconds / events:9.3f} {memory:6}")


if __name__ == "__main__":
    main()
