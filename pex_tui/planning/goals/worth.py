"""What a plan is worth: its time with a team of agents, and with one agent alone."""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from pex_tui.core.formatting import clock, counted, percent
from pex_tui.core.model.plan import Plan
from pex_tui.core.model.plan_graph import PlanGraph
from pex_tui.core.model.run_rules import RunRules
from pex_tui.planning.scheduling.schedule import schedule_plan

LEAST_SAVING = 0.2
"""The share of time below which a team is not worth it."""


class Payoff(Struct, frozen=True):
    """Seconds with the plan's slots, and by one agent alone; switched-off tasks count as well."""

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
    """What the plan saves if its tasks take an agent so long."""
    pairs = zip(plan.tasks, agent_seconds, strict=True)
    tasks = tuple(replace(spec, enabled=True, estimate_seconds=took) for spec, took in pairs)
    whole = replace(plan, tasks=tasks)
    rules = rules_for(whole)
    found = schedule_plan(whole, PlanGraph.build(whole, rules), rules)
    return Payoff(found.makespan_seconds, found.serial_seconds, found.slots)


def worth(plan: Plan, payoff: Payoff) -> str:
    """What the plan saves over one agent, and what of it can run today."""
    off = sum(not spec.enabled for spec in plan.tasks)
    tasks = counted(len(plan.tasks), "task")
    note = f"; {off} of {tasks} switched off until an agent is there" if off else ""
    alone = f"one agent alone would take about {clock(payoff.alone)}"
    if payoff.saving < LEAST_SAVING:
        return f"time: {alone}, and more slots would not shorten it{note}"
    together = f"with agents about {clock(payoff.together)} in {counted(payoff.slots, 'slot')}"
    return f"time: {together}; {alone} ({percent(payoff.saving)} saved){note}"
