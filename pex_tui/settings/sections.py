"""Sections about runs and the screen: every setting with its type, range, default and help.

After a change run `python -m tests.tools`, which generates config/pex.yaml, its JSON Schema and the
tables of docs/configuration.md.
"""

from typing import Annotated, ClassVar, Literal

from msgspec import field

from pex_tui.core.model.run_rules import FallbackMode, OverlapPolicy
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
_NO_LIMITS = "tasks are not limited"
_FIXED_SLOTS = "slots don't scale by themselves"


class Autoscale(Section, frozen=True):
    """Slots that come and go by themselves."""

    enabled: Annotated[
        bool, Setting("slots that follow the machine's load", inert=_FIXED_SLOTS)
    ] = False
    min: Annotated[Slots, Setting("the fewest of them", inert=_FIXED_SLOTS)] = 3
    max: Annotated[Slots, Setting("the most of them", inert=_FIXED_SLOTS)] = 10


class ThreadPool(Section, frozen=True):
    """How many tasks run at once, and what each may use."""

    max_concurrent: Annotated[Slots, Setting("slots: tasks at once", trust=Trust.COST)] = 5
    emergency_boost: Annotated[
        Slots, Setting("slots after `B`, the emergency boost", trust=Trust.COST)
    ] = 8
    autoscale: Autoscale = Autoscale()
    memory_per_agent: Annotated[
        Size, Setting("memory reserved for a task (1 MB is 1024² bytes)", inert=_NO_LIMITS)
    ] = 256 * _MEGABYTE
    cpu_per_agent: Annotated[
        Percent, Setting("CPU reserved for a task, of the whole machine", inert=_NO_LIMITS)
    ] = 0.2
    enforce: Annotated[
        Literal["contention", "always"],
        Setting(
            "when a task is held to its reservation: `contention` (when others need it) or "
            "`always`",
            inert=_NO_LIMITS,
        ),
    ] = "contention"
    on_limit: Annotated[
        Literal["throttle", "kill"],
        Setting("what happens above the reservation: `throttle` or `kill`", inert=_NO_LIMITS),
    ] = "throttle"


class Monitoring(Section, frozen=True):
    """What the screen shows, and how often."""

    refresh_interval: Annotated[
        PositiveDuration,
        Setting("how often resource usage is read; state changes show at once"),
    ] = 2.0
    detail_level: Annotated[
        Literal["full", "high", "medium", "low"],
        Setting(
            "what is shown of each task: `full` (with attempts), `high`, `medium` (no tokens, "
            "cost, refs) or `low` (no titles and times either)"
        ),
    ] = "high"
    show_performance: Annotated[bool, Setting("measure and show what agents use")] = True
    symbols: Annotated[
        Literal["emoji", "line", "ascii"], Setting("status symbols: `emoji`, `line` or `ascii`")
    ] = "emoji"
    theme: Annotated[
        WordText, Setting("one of ours, of Textual's, or of `~/.config/pex-tui/themes/*.toml`")
    ] = "ember"
    log_limit: Annotated[
        Size, Setting("disk space for one agent's output; the middle of more is left out")
    ] = 100 * _MEGABYTE
    notify: Annotated[
        Literal["bell", "desktop", "off"],
        Setting("when a run needs you: `bell`, `desktop` (where possible) or `off`"),
    ] = "bell"


class ConflictResolution(Section, frozen=True):
    """What happens when two tasks change the same lines."""

    see: ClassVar[str] = "[conflicts](conflicts.md)"

    auto_resolve: Annotated[
        bool, Setting("rerun a task that met a conflict on the new state", trust=Trust.POWER)
    ] = True
    max_retries: Annotated[
        int,
        whole(0, 100),
        Setting("attempts after the first, for failures and for conflicts", trust=Trust.COST),
    ] = 3
    fallback_mode: Annotated[
        FallbackMode,
        Setting(
            "if that did not help: `sequential` (tasks that overlap run one by one), `prompt` "
            "(asks you) or `abort` (ends the run)"
        ),
    ] = FallbackMode.SEQUENTIAL
    threshold: Annotated[
        float,
        fraction(),
        Setting("tasks that collide with this probability, or more, are kept apart"),
    ] = 0.2
    sequential_above: Annotated[
        float,
        fraction(),
        Setting(
            "if a larger share of the landings (of at least 4) met a conflict, tasks that write "
            "run one by one for the rest of the run; `1` is never"
        ),
    ] = 0.3
    radar: Annotated[
        OverlapPolicy,
        Setting(
            "when tasks at work overlap: `off`, `warn`, `tell` (the agents as well), `pause` (one "
            "until the other has landed) or `serialise` (one starts again after the other)"
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
            "files that keep what both sides add in one place",
            example="[CHANGELOG.md]",
            trust=Trust.POWER,
        ),
    ] = ()
    remember: Annotated[
        bool,
        Setting(
            "resolve the same conflict again as you did before, if the gate passes",
            trust=Trust.POWER,
        ),
    ] = True
    leases: Annotated[
        bool,
        Setting(
            "an agent with a model waits before it changes a file that another is changing, and "
            "goes on from what that one landed"
        ),
    ] = False
    break_cycles: Annotated[
        bool, Setting("drop the weakest need of a cycle instead of refusing the plan")
    ] = False
    lock_timeout: Annotated[
        PositiveDuration, Setting("a task that waited longer for a named lock goes first")
    ] = 60.0
    merge_tool: Annotated[
        CommandText | None,
        Setting(
            "what `g` runs for a file in conflict: a command with `{base}`, `{ours}`, `{theirs}`, "
            "`{result}` and `{path}`, or an agent's",
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
        Setting("tasks that are ready at once and tested together; halved on a failure"),
    ] = 5
    speculate: Annotated[bool, Setting("test what comes next meanwhile, if a slot is free")] = True
    retries: Annotated[
        int,
        whole(0, 1),
        Setting("run a failing check once more before it counts", trust=Trust.POWER),
    ] = 1
    timeout: Annotated[PositiveDuration, Setting("for all commands of one gate together")] = 1800.0


class WorkspaceSettings(Section, frozen=True):
    """What a fresh workspace gets, and what a reset leaves alone."""

    setup: Annotated[
        CommandText | None,
        Setting("a command for each fresh workspace", example="npm ci", trust=Trust.POWER),
    ] = None
    keep: Annotated[
        tuple[WordText, ...],
        Setting(
            "ignored paths that a reset leaves alone",
            example="[node_modules, .venv]",
            trust=Trust.POWER,
        ),
    ] = ()
    include_file: Annotated[
        WordText,
        Setting(
            "a file that lists untracked files to copy into workspaces, such as `.env`",
            trust=Trust.POWER,
        ),
    ] = ".worktreeinclude"


class Budget(Section, frozen=True):
    """When it is used up, nothing more starts until you decide."""

    usd: Annotated[float | None, OrNone(nonnegative()), Setting("US dollars", trust=Trust.COST)] = (
        None
    )
    tokens: Annotated[
        int | None, OrNone(whole(0)), Setting("tokens, in and out", trust=Trust.COST)
    ] = None


class Compatibility(Section, frozen=True):
    """Which agents run in parallel whatever is predicted, and which never do."""

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
