"""Plans as a plan file can express them."""

from msgspec.structs import replace

from pex_tui.core.model.plan import Plan


def as_written(plan: Plan) -> Plan:
    """Return the plan without the spread of its estimates: a file has the estimates only."""
    return replace(plan, tasks=tuple(replace(spec, estimate_spread=0.0) for spec in plan.tasks))
