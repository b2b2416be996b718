"""The settings of one command, and their effect on a run."""

from collections.abc import Iterable, Mapping
from typing import Annotated

from msgspec import field

from pex_tui.core.model.plan import Isolation, PermissionRules
from pex_tui.core.model.run_rules import RunRules
from pex_tui.core.textmerge.auto_strategies import STRATEGIES
from pex_tui.planning.agent_definitions.definition import AgentDefinition
from pex_tui.planning.agent_definitions.runners import Runner, Runners
from pex_tui.planning.fields.declaration import Section, keys_of
from pex_tui.planning.fields.value_types import WordText
from pex_tui.settings.agent_sections import Agents, Safety
from pex_tui.settings.sections import (
    Budget,
    Compatibility,
    ConflictResolution,
    Gate,
    Monitoring,
    ThreadPool,
    WorkspaceSettings,
)
from pex_tui.settings.setting import Setting, setting_of


class Settings(Section, frozen=True):
    """All settings of one command, merged from their layers by `load_settings`."""

    thread_pool: ThreadPool = ThreadPool()
    monitoring: Monitoring = Monitoring()
    conflict_resolution: ConflictResolution = ConflictResolution()
    gate: Gate = Gate()
    workspaces: WorkspaceSettings = WorkspaceSettings()
    safety: Safety = Safety()
    agents: Agents = Agents()
    budget: Budget = Budget()
    compatibility: Compatibility = Compatibility()
    keymap: Annotated[
        dict[str, WordText],
        Setting("keys of the app to rebind", example="{agent.retry: ctrl+r, run.land: f9}"),
    ] = field(default_factory=dict)

    given: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    """The settings that the user made, by path, and where: the place in the strongest layer."""

    def rules(
        self,
        *,
        slots: int | None = None,
        fail_fast: bool = False,
        land_at_end: bool = False,
        agents: Iterable[AgentDefinition] = (),
    ) -> RunRules:
        """Return the rules of a run; agents join the clusters of their definitions."""
        pool, conflicts = self.thread_pool, self.conflict_resolution
        usual = slots or pool.max_concurrent
        by_path = {one.name: getattr(conflicts, one.name) for one in STRATEGIES if one.by_path}
        clusters = {name: list(members) for name, members in self.compatibility.clusters.items()}
        for agent in agents:
            if agent.cluster is not None:
                clusters.setdefault(agent.cluster, []).append(agent.name)
        return RunRules(
            slots=usual,
            emergency_slots=max(pool.emergency_boost, usual),
            auto_resolve=conflicts.auto_resolve,
            max_retries=conflicts.max_retries,
            fallback=conflicts.fallback_mode,
            collision_threshold=conflicts.threshold,
            sequential_above=conflicts.sequential_above,
            radar=conflicts.radar,
            leases=conflicts.leases,
            gate_batch=self.gate.batch,
            gate_retries=self.gate.retries,
            speculate=self.gate.speculate,
            silent=tuple(dict.fromkeys(conflicts.silent)),
            union=by_path.pop("union"),
            memory_per_agent=pool.memory_per_agent,
            cpu_per_agent=pool.cpu_per_agent,
            enforce=pool.enforce,
            on_limit=pool.on_limit,
            by_path=tuple((name, globs) for name, globs in by_path.items() if globs),
            remembers=conflicts.remember,
            lock_timeout_seconds=conflicts.lock_timeout,
            grace_seconds=self.safety.grace,
            fail_fast=fail_fast,
            land_at_end=land_at_end,
            clusters=tuple(tuple(dict.fromkeys(members)) for members in clusters.values()),
            never=self.compatibility.never,
            budget_usd=self.budget.usd,
            budget_tokens=self.budget.tokens,
            protect=self.safety.protected.policy,
            protected=self.safety.protected.paths,
        )

    @property
    def runners(self) -> Runners:
        """Return the runners of agents with a model."""
        agents, rules = self.agents, self.agents.permissions
        return Runners(
            own=tuple(Runner(name, own.talk, own.command) for name, own in agents.runners.items()),
            chosen=agents.use,
            default=agents.runner,
            permissions=PermissionRules(rules.mode, rules.allow, rules.deny),
        )

    @property
    def default_isolation(self) -> Isolation:
        """Return the isolation of tasks that declare none."""
        asked = self.safety.isolation
        return Isolation.WORKTREE if asked == "clone" else Isolation(asked)

    def notices(self) -> tuple[str, ...]:
        """Return a line for each reason why some of the user's settings have no effect."""
        if not self.given:
            return ()
        ignored: dict[tuple[str, str], list[str]] = {}
        for path, one in keys_of(Settings):
            if setting_of(one).inert and path in self.given:
                reason = (path[0], setting_of(one).inert)
                ignored.setdefault(reason, []).append(".".join(path[1:]))
        return tuple(
            f"{section}: {', '.join(names)}: {why} in this version."
            for (section, why), names in ignored.items()
        )
