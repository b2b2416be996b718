"""The settings that guard against tasks, as a run records them: each engine reads them anew."""

from collections.abc import Iterable

from pex_tui.core.formatting import size
from pex_tui.core.model.run_rules import Guard
from pex_tui.settings.model import Settings


def guards_of(settings: Settings) -> tuple[Guard, ...]:
    """Return the guards in force, each by its setting's name, with the value for a person."""
    safety, pool = settings.safety, settings.thread_pool
    rate = safety.network.rate
    return (
        ("safety.sandbox", str(safety.sandbox)),
        ("safety.writable", _listed(safety.writable)),
        ("safety.network.allow", _listed(safety.network.allow)),
        ("safety.network.rate", "none" if rate is None else f"{size(rate)}/s"),
        ("safety.env_pass", _listed(safety.env_pass)),
        ("thread_pool.processes_per_agent", str(pool.processes_per_agent)),
        ("thread_pool.disk_per_agent", size(pool.disk_per_agent)),
        ("thread_pool.limit_tier", str(pool.limit_tier)),
        ("agents.permissions.mode", str(settings.agents.permissions.mode)),
        ("agents.permissions.allow", _listed(settings.agents.permissions.allow)),
    )


def _listed(values: Iterable[str]) -> str:
    return f"[{', '.join(values)}]"
