"""Plans as far as a plan file tells them."""

from msgspec.structs import replace

from pex_tui.core.model.plan import Plan


def as_written(plan: Plan) -> Plan:
    """The plan without the spread of its estimates: a file has the estimates only."""
    return replace(plan, tasks=tuple(replace(spec, estimate_spread=0.0) for spec in plan.tasks))
