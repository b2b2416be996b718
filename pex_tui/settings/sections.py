"""Sections about runs and the screen: every setting with its type, range, default and help.

After a change run `python -m tests.tools`, which generates config/pex.yaml, its JSON Schema and the
tables of docs/configuration.md.
"""

from typing import Annotated, ClassVar, Literal

from msgspec import field

from pex_tui.core.model.run_rules import Enforcement, FallbackMode, OnLimit, OverlapPolicy
from pex_tui.core.textmerge.auto_strategies import STRATEGIES
from pex_tui.planning.fields.declaration import Section
from pex_tui.planning.fields.kinds import ListOf, OrNone, choice, fraction, nonnegative, whole
from pex_tui.planning.fields.value_types import (
    CommandText,
    Glob,
    Percent,
    PositiveDuration,
    Size,
    Slots,
    WordText,
)
from pex_tui.settings.setting import Setting, Trust
from pex_tui.settings.values import PAIR

_MEGABYTE = 1024**2
_SILENT = {one.name: one.meaning for one in STRATEGIES if not one.by_path}
_FIXED_SLOTS = "slots do not scale automatically"


class Autoscale(Section, frozen=True):
    """Automatic scaling of the slots."""

    enabled: Annotated[
        bool, Setting("scale the slots with the machine's load", inert=_FIXED_SLOTS)
    ] = False
    min: Annotated[Slots, Setting("minimum number of slots", inert=_FIXED_SLOTS)] = 3
    max: Annotated[Slots, Setting("maximum number of slots", inert=_FIXED_SLOTS)] = 10


class ThreadPool(Section, frozen=True):
    """Number of parallel tasks, and resources of each."""

    max_concurrent: Annotated[
        Slots, Setting("slots: tasks that run in parallel", trust=Trust.COST)
    ] = 5
    emergency_boost: Annotated[
        Slots, Setting("slots after `B`, the emergency boost", trust=Trust.COST)
    ] = 8
    autoscale: Autoscale = Autoscale()
    memory_per_agent: Annotated[
        Size,
        Setting(
            "memory reserved for a task without its own (1 MB is 1024² bytes): nothing starts that "
            "does not fit",
            trust=Trust.COST,
        ),
    ] = 256 * _MEGABYTE
    cpu_per_agent: Annotated[
        Percent,
        Setting("CPU reserved for a task, as a share of the machine", trust=Trust.COST),
    ] = 0.2
    enforce: Annotated[
        Enforcement,
        Setting(
            "when tasks are held to their reservations: `contention` (only while others need them) "
            "or `always`"
        ),
    ] = Enforcement.CONTENTION
    on_limit: Annotated[
        OnLimit,
        Setting(
            "while memory is short, `throttle` (pause) or `kill` a task above its reservation; "
            "one that is `always` held is ended at its memory limit in either case"
        ),
    ] = OnLimit.THROTTLE
    processes_per_agent: Annotated[
        int,
        whole(1, 1_000_000),
        Setting("a task with more processes and threads is ended", trust=Trust.COST),
    ] = 2_000
    disk_per_agent: Annotated[
        Size,
        Setting("a task that takes more disk space in its checkout is ended", trust=Trust.COST),
    ] = 10_240 * _MEGABYTE
    limit_tier: Annotated[
        Literal["auto", "polling"],
        Setting(
            "how limits are held: `auto` (by the kernel where it lets you, see `pex-tui doctor`) "
            "or `polling`",
            trust=Trust.POWER,
        ),
    ] = "auto"


class Monitoring(Section, frozen=True):
    """Contents and refresh rate of the screen."""

    refresh_interval: Annotated[
        PositiveDuration,
        Setting("interval of resource measurements; state changes show at once"),
    ] = 2.0
    detail_level: Annotated[
        Literal["full", "high", "medium", "low"],
        Setting(
            "detail shown of each task: `full` (with attempts), `high`, `medium` (no tokens, "
            "cost, refs) or `low` (no titles or times either)"
        ),
    ] = "high"
    show_performance: Annotated[bool, Setting("measure and show resource usage")] = True
    symbols: Annotated[
        Literal["emoji", "line", "ascii"], Setting("status symbols: `emoji`, `line` or `ascii`")
    ] = "emoji"
    theme: Annotated[
        WordText, Setting("a theme of pex-tui, of Textual, or in `~/.config/pex-tui/themes/*.toml`")
    ] = "ember"
    log_limit: Annotated[
        Size, Setting("disk space for one agent's output; of more, the middle is dropped")
    ] = 100 * _MEGABYTE
    notify: Annotated[
        Literal["bell", "desktop", "off"],
        Setting("notification when a run needs you: `bell`, `desktop` (if available) or `off`"),
    ] = "bell"


class ConflictResolution(Section, frozen=True):
    """Handling of tasks that change the same lines."""

    see: ClassVar[str] = "[conflicts](conflicts.md)"

    auto_resolve: Annotated[
        bool, Setting("rerun a task that conflicts, on the latest commit", trust=Trust.POWER)
    ] = True
    max_retries: Annotated[
        int,
        whole(0, 100),
        Setting("maximum reruns of a task, for failures and for conflicts", trust=Trust.COST),
    ] = 3
    fallback_mode: Annotated[
        FallbackMode,
        Setting(
            "if reruns do not help: `sequential` (rerun without other writers), `prompt` "
            "(asks you) or `abort` (ends the run)"
        ),
    ] = FallbackMode.SEQUENTIAL
    threshold: Annotated[
        float,
        fraction(),
        Setting("tasks that conflict with at least this probability are kept apart"),
    ] = 0.2
    sequential_above: Annotated[
        float,
        fraction(),
        Setting(
            "if more than this share of the landings (at least 4) conflicted, tasks that write "
            "run one at a time for the rest of the run; `1` means never"
        ),
    ] = 0.3
    radar: Annotated[
        OverlapPolicy,
        Setting(
            "when running tasks overlap: `off`, `warn` (you), `tell` (the agents too), `pause` "
            "(one until the other has landed) or `serialise` (restart one after the other)"
        ),
    ] = OverlapPolicy.WARN
    silent: Annotated[
        tuple[str, ...],
        ListOf(choice(tuple(_SILENT))),
        Setting(
            "strategies that resolve without asking, if the gate passes: "
            + " and ".join(f"`{name}` ({meaning})" for name, meaning in _SILENT.items()),
            trust=Trust.POWER,
        ),
    ] = ("superset",)
    union: Annotated[
        tuple[Glob, ...],
        Setting(
            "files in which both sides' additions at one place are kept",
            example="[CHANGELOG.md]",
            trust=Trust.POWER,
        ),
    ] = ()
    remember: Annotated[
        bool,
        Setting(
            "resolve a recurring conflict as you did before, if the gate passes",
            trust=Trust.POWER,
        ),
    ] = True
    leases: Annotated[
        bool,
        Setting(
            "agents with a model wait before changing a file that another is changing, then "
            "start from what that one landed"
        ),
    ] = False
    break_cycles: Annotated[
        bool, Setting("drop the weakest need of a cycle instead of rejecting the plan")
    ] = False
    lock_timeout: Annotated[
        PositiveDuration, Setting("after this wait for a named lock, a task takes precedence")
    ] = 60.0
    merge_tool: Annotated[
        CommandText | None,
        Setting(
            "merge tool for `g`: a command with `{base}`, `{ours}`, `{theirs}`, "
            "`{result}` and `{path}`, or an agent's name",
            example='[kdiff3, --auto, "{base}", "{ours}", "{theirs}", -o, "{result}"]',
            trust=Trust.POWER,
        ),
    ] = None


class Gate(Section, frozen=True):
    """The plan's `verify` commands: nothing lands that fails them."""

    see: ClassVar[str] = "[the gate](gate.md)"

    batch: Annotated[
        int,
        whole(1, 20),
        Setting("maximum number of tasks tested together; halved on a failure"),
    ] = 5
    speculate: Annotated[bool, Setting("test the next tasks meanwhile, if a slot is free")] = True
    retries: Annotated[
        int,
        whole(0, 1),
        Setting("retries of a failing check before it counts", trust=Trust.POWER),
    ] = 1
    timeout: Annotated[
        PositiveDuration, Setting("time limit for all commands of one gate together")
    ] = 1800.0


class WorkspaceSettings(Section, frozen=True):
    """Setup of fresh workspaces, and files that a reset keeps."""

    setup: Annotated[
        CommandText | None,
        Setting("command to run in each fresh workspace", example="npm ci", trust=Trust.POWER),
    ] = None
    keep: Annotated[
        tuple[WordText, ...],
        Setting(
            "ignored paths that a reset keeps",
            example="[node_modules, .venv]",
            trust=Trust.POWER,
        ),
    ] = ()
    include_file: Annotated[
        WordText,
        Setting(
            "file that lists untracked files to copy into workspaces, such as `.env`",
            trust=Trust.POWER,
        ),
    ] = ".worktreeinclude"


class Budget(Section, frozen=True):
    """Spending limit: once reached, nothing more starts until you decide."""

    usd: Annotated[float | None, OrNone(nonnegative()), Setting("US dollars", trust=Trust.COST)] = (
        None
    )
    tokens: Annotated[
        int | None, OrNone(whole(0)), Setting("tokens, in and out", trust=Trust.COST)
    ] = None


class Compatibility(Section, frozen=True):
    """Agents that run in parallel despite predictions, and agents that never do."""

    clusters: Annotated[
        dict[str, tuple[WordText, ...]],
        Setting("agents that run in parallel even if overlaps are predicted"),
    ] = field(
        default_factory=lambda: {
            "investigation": ("error-handler", "qa-engineer", "performance-agent"),
            "architecture": ("swebok-engineer", "architect-agent"),
            "analysis": ("security-agent", "compliance-agent"),
            "testing": ("test-fixer-agent", "obsidian-test-agent", "ui-test-expert"),
        }
    )
    never: Annotated[
        tuple[tuple[str, str], ...],
        ListOf(PAIR),
        Setting(
            "pairs that never run at the same time; `@writes` is any task that may write",
            trust=Trust.POWER,
        ),
    ] = (
        ("release-agent", "@writes"),
        ("state-persistence-agent", "state-persistence-agent"),
        ("meta-agent", "agent-factory"),
    )
