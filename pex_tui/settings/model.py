"""The configuration as types: every setting with its unit, its default and what it does."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr

from pex_tui.core.model.plan import Isolation, PermissionMode, PermissionRules, Talk
from pex_tui.core.model.run_rules import (
    FallbackMode,
    ProtectPolicy,
    RadarPolicy,
    RunRules,
    Strategy,
)
from pex_tui.planning.agent_definitions.definition import AgentDefinition
from pex_tui.planning.agent_definitions.runners import AUTO, Runner, Runners
from pex_tui.planning.fields.field_types import (
    Command,
    Duration,
    Glob,
    Percent,
    PositiveDuration,
    Rate,
    Size,
    Slots,
    Word,
    Words,
    read_list,
    read_word,
)

_MEGABYTE = 1024**2
_PAIR = 2
_FIXED = "slots don't scale by themselves"


def _read_isolation(value: Any) -> Any:
    if value == "shared":
        raise ValueError('"shared" suits single tasks that change nothing. Write worktree or auto')
    return value


def _read_sandbox(value: Any) -> Any:
    if value != "none":
        raise ValueError(f'"{value}" is not in this version, which has no sandbox. Write none')
    return value


def _read_pair(value: Any) -> tuple[str, ...]:
    names = tuple(read_word(name) for name in read_list(value))
    if len(names) != _PAIR:
        raise ValueError('each entry is a pair of agents. Write ["one-agent", "other-agent"]')
    return names


class _Section(BaseModel):
    """Unknown keys are mistakes; values don't change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Autoscale(_Section):
    """Slots that come and go with the machine's load."""

    enabled: bool = False
    """Whether slots scale by themselves."""
    min: Slots = 3
    """The fewest slots."""
    max: Slots = 10
    """The most slots."""


class ThreadPool(_Section):
    """How many tasks run at once, and what each may use."""

    max_concurrent: Slots = 5
    """Slots of a run: tasks at once, 1 to 32."""
    emergency_boost: Slots = 8
    """Slots of a boosted run, 1 to 32."""
    autoscale: Autoscale = Autoscale()
    """Slots that scale by themselves."""
    memory_per_agent: Size = 256 * _MEGABYTE
    """Memory reserved for a task; bytes, written as 256MB."""
    cpu_per_agent: Percent = 0.2
    """CPU reserved for a task; a share of the machine, written as 20%."""
    enforce: Literal["contention", "always"] = "contention"
    """When a task is held to its reservation: as others need it, or always."""
    on_limit: Literal["throttle", "kill"] = "throttle"
    """What happens to a task above its reservation."""


class Monitoring(_Section):
    """What the screen shows, and how often."""

    refresh_interval: PositiveDuration = 2.0
    """How often resources are read; seconds, written as 2s. State changes show at once."""
    detail_level: Literal["full", "high", "medium", "low"] = "high"
    """What is shown of each task: with its attempts (full), all else, no tokens and refs, least."""
    show_performance: bool = True
    """Whether what agents use is measured and shown on screen."""
    symbols: Literal["emoji", "line", "ascii"] = "emoji"
    """The family of status symbols."""
    theme: Word = "ember"
    """The colour theme's name."""
    log_limit: Size = 100 * _MEGABYTE
    """What an agent's output takes up on the disk; beyond it the middle is left out."""
    notify: Literal["bell", "desktop", "off"] = "bell"
    """How the terminal calls when a run needs somebody: its bell, a desktop notification, not."""


class ConflictResolution(_Section):
    """What happens when two tasks fall out."""

    auto_resolve: bool = True
    """Whether a task runs again by itself after a conflict."""
    max_retries: int = Field(default=3, ge=0, le=100)
    """Attempts after the first, for failures and for conflicts; 0 to 100."""
    fallback_mode: FallbackMode = FallbackMode.SEQUENTIAL
    """When a conflict stays: one task at a time, ask, or end the run."""
    threshold: float = Field(default=0.2, gt=0, le=1)
    """How probable a foreseen collision is that two tasks are kept apart for; above 0, up to 1."""
    sequential_above: float = Field(default=0.3, gt=0, le=1)
    """Once a larger share of landings met a conflict, writers go one by one; 1 is never."""
    radar: RadarPolicy = RadarPolicy.WARN
    """When two tasks at work are seen to collide: off, warn, tell, pause or serialise."""
    leases: bool = False
    """Whether an agent that announces a write waits while another is changing that file."""
    silent: Annotated[tuple[Literal["superset", "adjacent"], ...], BeforeValidator(read_list)] = (
        "superset",
    )
    """How conflicts are settled with nobody asked, if the gate then passes: superset, adjacent."""
    union: Annotated[tuple[Glob, ...], BeforeValidator(read_list)] = ()
    """Files such as changelogs, where what both sides add at one place is kept, likewise."""
    remember: bool = True
    """Whether what you decide in a conflict settles it when it is met again, likewise."""
    break_cycles: bool = False
    """Whether the weakest need of a cycle is dropped rather than the plan refused."""
    lock_timeout: PositiveDuration = 60.0
    """A task that waits longer for a named lock goes first; seconds."""
    merge_tool: Command | None = None
    """A program that merges one file: it gets {base}, {ours}, {theirs}, {result} and {path}."""


class Gate(_Section):
    """How what is merged is tested before it lands: the plan's `verify` commands."""

    batch: int = Field(default=5, ge=1, le=20)
    """How many tasks that are ready at once are tested together; 1 to 20."""
    speculate: bool = True
    """Whether what comes next is tested beside what is under test, when a slot is free."""
    retries: int = Field(default=1, ge=0, le=1)
    """How often a red gate is asked again before it counts; 0 or 1."""
    timeout: PositiveDuration = 1800.0
    """How long the commands of one gate may take in all; seconds."""


class Workspaces(_Section):
    """What a fresh workspace gets, and what a reset leaves alone."""

    setup: Command | None = None
    """Run once in each pooled workspace, and again when its inputs change."""
    keep: Words = ()
    """Ignored paths that a reset leaves alone, such as node_modules."""
    include_file: Word = ".worktreeinclude"
    """The file that lists untracked files to copy into workspaces."""


class Network(_Section):
    """What tasks may reach."""

    rate: Rate | None = None
    """Bytes a second for each task, written as 1MB/s."""
    allow: Words = ("*",)
    """Hosts that tasks may reach."""


class Protected(_Section):
    """What tasks change only with a person's word, besides the files that `verify` names."""

    paths: Annotated[tuple[Glob, ...], BeforeValidator(read_list)] = (
        ".pex/**",
        ".claude/**",
        ".{codex,gemini,opencode,cursor}/**",
        ".mcp.json",
        ".github/{workflows,actions}/**",
        ".gitlab-ci.{yml,yaml}",
        ".gitlab/ci/**",
        ".{circleci,buildkite,ci,woodpecker,azure-pipelines}/**",
        ".{gitea,forgejo}/workflows/**",
        "{.travis,.woodpecker,.drone,.appveyor,appveyor,azure-pipelines,bitbucket-pipelines}.{yml,yaml}",
        "Jenkinsfile",
        "{.husky,.githooks,githooks,.lefthook}/**",
        "{lefthook,.lefthook,.pre-commit-config}.{yml,yaml}",
        "**/.gitattributes",
        ".worktreeinclude",
    )
    """Globs of the repository: settings, agents, CI, hooks, attributes."""
    policy: ProtectPolicy = ProtectPolicy.ASK
    """What becomes of such work whose task does not name the path: ask, warn or refuse."""


class Safety(_Section):
    """How tasks are kept apart and ended."""

    grace: Duration = 10.0
    """Between asking a task to end and killing it; seconds."""
    isolation: Annotated[Literal["auto", "worktree", "clone"], BeforeValidator(_read_isolation)] = (
        "auto"
    )
    """Where tasks work that don't say: auto shares one checkout among those that only read."""
    sandbox: Annotated[Literal["none"], BeforeValidator(_read_sandbox)] = "none"
    """The wall around a task's process."""
    writable: Words = ()
    """Paths outside its workspace that a sandboxed task may write."""
    env_pass: Words = ()
    """Environment variables that tasks get besides the usual ones."""
    network: Network = Network()
    """What tasks may reach."""
    protected: Protected = Protected()
    """What tasks change only with a person's word."""


class Permissions(_Section):
    """What agents may do without a question; definitions may add to it."""

    mode: PermissionMode = PermissionMode.EDITS
    """ask, edits (of files in the agent's own checkout), or all."""
    allow: Words = ()
    """Tool, or Tool(glob) as in Bash(pytest *): allowed without a question."""
    deny: Words = ()
    """The same: never allowed."""


class OwnRunner(_Section):
    """A program that runs agents."""

    talk: Literal["claude", "acp", "codex", "gemini", "opencode"] = "acp"
    """How it is spoken with."""
    command: Command
    """What starts it, without what its talk adds."""


class Agents(_Section):
    """What runs agents with a model."""

    runner: Word = AUTO
    """For agents that name none: auto (the first that is installed) or a runner's name."""
    use: dict[str, Word] = {}
    """Runners by agent, "*" for all of them."""
    runners: dict[str, OwnRunner] = {}
    """Runners of your own, by name."""
    planner: Literal["auto", "model", "rules"] = "auto"
    """Who plans a goal: meta-agent where it can be run (auto), it or nobody (model), or rules."""
    stall: PositiveDuration = 600.0
    """An agent that is silent for so long, using no tool, is stopped and tried again; seconds."""
    permissions: Permissions = Permissions()
    """What agents may do without a question."""


class Budget(_Section):
    """What a run may cost before it starts nothing more and asks."""

    usd: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """US dollars."""
    tokens: int | None = Field(default=None, ge=0)
    """Tokens, in and out."""


class Compatibility(_Section):
    """Which agents run side by side, whatever is predicted, and which never do."""

    clusters: dict[str, Words] = {}
    """Named groups of agents whose predicted overlaps don't count."""
    never: Annotated[
        tuple[Annotated[tuple[str, str], BeforeValidator(_read_pair)], ...],
        BeforeValidator(read_list),
    ] = ()
    """Pairs that never run at once; "@writes" is any task that may change files."""


class Settings(_Section):
    """All settings of one command, merged from their layers by `load_settings`."""

    thread_pool: ThreadPool = ThreadPool()
    monitoring: Monitoring = Monitoring()
    conflict_resolution: ConflictResolution = ConflictResolution()
    gate: Gate = Gate()
    workspaces: Workspaces = Workspaces()
    safety: Safety = Safety()
    agents: Agents = Agents()
    budget: Budget = Budget()
    compatibility: Compatibility = Compatibility()
    keymap: dict[str, Word] = {}
    """Keys of the app that are moved: the id of each, and the key or keys (a,b) that it gets."""

    _given: frozenset[tuple[str, ...]] = PrivateAttr(frozenset())

    def rules(
        self,
        *,
        slots: int | None = None,
        fail_fast: bool = False,
        land_at_end: bool = False,
        agents: Iterable[AgentDefinition] = (),
    ) -> RunRules:
        """What a run is decided by; agents join the clusters that their definitions name."""
        pool, conflicts = self.thread_pool, self.conflict_resolution
        usual = slots or pool.max_concurrent
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
            silent=tuple(Strategy(name) for name in dict.fromkeys(conflicts.silent)),
            union=conflicts.union,
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
        """What runs agents with a model."""
        agents, rules = self.agents, self.agents.permissions
        return Runners(
            own=tuple(
                Runner(name, Talk(own.talk), own.command) for name, own in agents.runners.items()
            ),
            chosen=agents.use,
            default=agents.runner,
            permissions=PermissionRules(rules.mode, rules.allow, rules.deny),
        )

    @property
    def default_isolation(self) -> Isolation:
        """Where tasks work that don't say."""
        asked = self.safety.isolation
        return Isolation.WORKTREE if asked == "clone" else Isolation(asked)

    def _is_given(self, *path: str) -> bool:
        """Whether the user made that setting, or one below it."""
        return any(given[: len(path)] == path for given in self._given)

    def notices(self) -> tuple[str, ...]:
        """One line for each setting that the user made and this version does not act on."""
        limits = [
            name
            for name in ("memory_per_agent", "cpu_per_agent", "enforce", "on_limit")
            if ("thread_pool", name) in self._given
        ]
        told = (
            (bool(limits), f"thread_pool: {', '.join(limits)}: tasks are not limited"),
            (self._is_given("thread_pool", "autoscale"), f"thread_pool.autoscale: {_FIXED}"),
            (self.safety.network != Network(), "safety.network: tasks reach any host at any rate"),
            (bool(self.safety.writable), "safety.writable: nothing is walled off"),
        )
        return tuple(f"{text} in this version." for holds, text in told if holds)
