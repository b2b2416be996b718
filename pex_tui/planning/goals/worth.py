"""The payoff of a plan: its duration with a team of agents against one agent alone."""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from pex_tui.core.formatting import clock, counted, percent
from pex_tui.core.model.plan import Plan
from pex_tui.core.model.plan_graph import PlanGraph
from pex_tui.core.model.run_rules import RunRules
from pex_tui.planning.scheduling.schedule import schedule_plan

LEAST_SAVING = 0.2
"""The minimum share of time saved that makes a team worthwhile."""


class Payoff(Struct, frozen=True):
    """Seconds with the plan's slots, and by one agent alone; disabled tasks count as well."""

    together: float
    alone: float
    slots: int

    @property
    def saving(self) -> float:
        """Return the share of time saved."""
        return 1 - self.together / self.alone if self.alone else 0.0


def payoff_of(
    plan: Plan, agent_seconds: tuple[float, ...], rules_for: Callable[[Plan], RunRules]
) -> Payoff:
    """Return the payoff of the plan for these durations by agent."""
    pairs = zip(plan.tasks, agent_seconds, strict=True)
    tasks = tuple(replace(spec, enabled=True, estimate_seconds=took) for spec, took in pairs)
    whole = replace(plan, tasks=tasks)
    rules = rules_for(whole)
    found = schedule_plan(whole, PlanGraph.build(whole, rules), rules)
    return Payoff(found.makespan_seconds, found.serial_seconds, found.slots)


def worth(plan: Plan, payoff: Payoff) -> str:
    """Describe the time that the plan saves, and how much of it can run today."""
    off = sum(not spec.enabled for spec in plan.tasks)
    tasks = counted(len(plan.tasks), "task")
    note = f"; {off} of {tasks} disabled until a coding agent is installed" if off else ""
    alone = f"one agent alone would take about {clock(payoff.alone)}"
    if payoff.saving < LEAST_SAVING:
        return f"time: {alone}, and more slots would not shorten it{note}"
    together = f"with agents about {clock(payoff.together)} in {counted(payoff.slots, 'slot')}"
    return f"time: {together}; {alone} ({percent(payoff.saving)} saved){note}"
