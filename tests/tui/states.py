"""Fixed runs for pictures and tests: the same values, times and commits every time."""

from typing import Any

from msgspec.structs import replace

from pex_tui.core.model.conflict import Conflict, ConflictKind, ConflictPath, Decision
from pex_tui.core.model.ids import AgentName, CommitId, LockName, RunId, SlotId, TaskId
from pex_tui.core.model.phases import LandingStage, Phase, RunStage
from pex_tui.core.model.plan import LockRequest, Plan, TaskSpec
from pex_tui.core.model.plan_graph import PlanGraph
from pex_tui.core.model.run_rules import FallbackMode, RunRules
from pex_tui.core.model.state import LandStatus, Outcome, RunState
from pex_tui.core.model.task_state import (
    Failure,
    FailureKind,
    Permission,
    StopCause,
    TaskState,
    Verdict,
    Wait,
    WaitCause,
)

START = 1_764_000_000.0
NOW = START + 225.0  # 3:45 into the run
BASE = CommitId("9f2c1ab" + "0" * 33)
TIP = CommitId("4f1c09e" + "1" * 33)
RULES = RunRules(fallback=FallbackMode.PROMPT, never=(("release-agent", "@writes"),))


def spec(name: str, agent: str, prompt: str, *needs: str, **fields: Any) -> TaskSpec:
    """Return a task of a plan; keyword arguments are fields of TaskSpec."""
    return TaskSpec(
        TaskId(name),
        ("agent", "--work", name),
        agent=AgentName(agent),
        prompt=prompt,
        needs=tuple(TaskId(need) for need in needs),
        **fields,
    )


def entry(name: str, phase: Phase, **fields: Any) -> TaskState:
    """Return a task's state; keyword arguments are fields of TaskState."""
    return TaskState(TaskId(name), phase, **fields)


def run_of(specs: tuple[TaskSpec, ...], entries: tuple[TaskState, ...], **fields: Any) -> RunState:
    """Return a run of these tasks at NOW; keyword arguments are fields of RunState."""
    goal, verify = fields.pop("goal", "Add a payments API"), fields.pop("verify", ())
    plan = Plan(specs, goal=goal, base="main", verify=verify)
    rules = fields.pop("rules", RULES)
    state = RunState(
        run=RunId("7f3a"),
        plan=plan,
        planned=plan,
        rules=rules,
        graph=PlanGraph.build(plan, rules),
        base=BASE,
        branch="pex/7f3a",
        target="main",
        created_at=START,
        seed=7,
        capacity=5,
        tasks=entries,
        tip=BASE,
        now=NOW,
        seq=120,
    )
    return replace(state, **fields)


def live(slot: int, started: float, **fields: Any) -> dict[str, Any]:
    """Return fields of an attempt with a slot; `started` is seconds into the run."""
    return {
        "attempt": 1,
        "slot": SlotId(slot),
        "ready_at": START,
        "dispatched_at": START + started - 2,
        "started_at": START + started,
        "workspace": f"/state/pool/{slot}",
        "start_commit": BASE,
        "pid": 4100 + slot,
    } | fields


def ended(started: float, exited: float, end: float | None = None, **fields: Any) -> dict[str, Any]:
    """Return fields of an attempt whose process is gone; seconds into the run."""
    return {
        "attempt": 1,
        "ready_at": START,
        "dispatched_at": START + started - 2,
        "started_at": START + started,
        "exited_at": START + exited,
        "ended_at": None if end is None else START + end,
        "start_commit": BASE,
        "exit_code": 0,
    } | fields


_SPECS = (
    spec("models", "swebok-engineer", "Payments models", writes=("src/pay/models.py",)),
    spec("contracts", "qa-engineer", "Contract tests", writes=("tests/contract/**",)),
    spec("threats", "security-agent", "Threat model", writes=()),
    spec("ledger", "db-migrator", "Ledger migration", writes=("migrations/**",)),
    spec("docs", "docs-writer", "API reference", writes=("docs/**", "src/pay/api.py")),
    spec("refunds", "api-designer", "Refund endpoints"),
    spec("checkout", "ui-builder", "Checkout form", writes=("web/checkout/**",)),
    spec("index", "perf-tuner", "Index tuning", writes=("src/pay/index.py",)),
    spec("changelog", "docs-writer", "Changelog", "docs", "refunds", writes=("CHANGELOG.md",)),
    spec("legacy", "refactorer", "Drop the legacy client", writes=("src/legacy/**",)),
)

SPECS = tuple(replace(one, estimate_seconds=240.0) for one in _SPECS)

OPEN_CONFLICT = Conflict(
    number=1,
    kind=ConflictKind.WRITE,
    tasks=(TaskId("refunds"), TaskId("docs")),
    files=(ConflictPath("src/pay/api.py"),),
    tip=TIP,
    overlapping_at=NOW - 14,
    conflicting_at=NOW - 14,
)

BUSY = (
    entry(
        "models",
        Phase.RUNNING,
        **live(1, 4, progress=0.75, activity="Editing src/pay/models.py"),
    ),
    entry(
        "contracts",
        Phase.RUNNING,
        boosted=True,
        **live(2, 33, progress=0.6, activity="pytest -q tests/contract"),
    ),
    entry("threats", Phase.RUNNING, **live(3, 67, activity="Reading docs/auth.md")),
    entry(
        "ledger",
        Phase.PAUSED,
        held=True,
        paused_at=NOW - 22,
        **live(4, 80, progress=0.4, activity="alembic upgrade head"),
    ),
    entry(
        "docs",
        Phase.LANDED,
        work=CommitId("a" * 40),
        landed=TIP,
        progress=1.0,
        files=("docs/api.md", "docs/index.md", "src/pay/api.py"),
        **ended(4, 144, 151),
    ),
    entry(
        "refunds",
        Phase.CONFLICT,
        work=CommitId("8be1d20" + "2" * 33),
        tip=TIP,
        progress=1.0,
        files=("src/pay/api.py",),
        reason="conflict in src/pay/api.py with docs",
        **ended(4, 179),
    ),
    entry(
        "checkout",
        Phase.BACKOFF,
        failures=2,
        retry_at=NOW + 8,
        progress=0.15,
        failure=Failure(FailureKind.EXIT, "exit 1"),
        reason="retry 2/3: exit 1",
        **ended(180, 215, attempt=2, exit_code=1),
    ),
    entry(
        "index",
        Phase.STARTING,
        attempt=1,
        slot=SlotId(5),
        ready_at=START,
        dispatched_at=NOW - 3,
    ),
    entry("changelog", Phase.WAITING),
    entry(
        "legacy",
        Phase.FAILED,
        failures=4,
        failure=Failure(FailureKind.EXIT, "exit 1"),
        reason="exit 1",
        **ended(33, 155, 156, attempt=4, exit_code=1),
    ),
)


def busy() -> RunState:
    """Return ten tasks, each in another situation; one conflict is open."""
    return run_of(SPECS, BUSY, tip=TIP, conflicts=(OPEN_CONFLICT,))


def calm() -> RunState:
    """Return the busy run before its conflict: `refunds` still runs."""
    tasks = tuple(
        entry("refunds", Phase.RUNNING, **live(6, 4, progress=0.5, activity="Writing tests"))
        if task.id == "refunds"
        else task
        for task in BUSY
    )
    return run_of(SPECS, tasks, tip=TIP, capacity=8, capacity_before_boost=5)


def empty() -> RunState:
    """Return a run without tasks."""
    return run_of((), (), now=START)


def fresh() -> RunState:
    """Return a run whose first tasks are just being dispatched."""
    tasks = tuple(
        entry(
            one.id,
            Phase.STARTING,
            attempt=1,
            slot=SlotId(number),
            ready_at=START,
            dispatched_at=START,
        )
        if number <= 5
        else entry(one.id, Phase.WAITING if one.needs else Phase.READY, ready_at=START)
        for number, one in enumerate(SPECS, 1)
    )
    return run_of(SPECS, tasks, now=START + 1)


def broken() -> RunState:
    """Return a run with failures, skipped dependents, a failing gate and a refused land."""
    specs = (
        spec("build", "swebok-engineer", "Build the package"),
        spec("lint", "qa-engineer", "Lint everything"),
        spec("unit", "qa-engineer", "Unit tests", "build"),
        spec("ship", "release-agent", "Ship it", "unit"),
        spec("guide", "docs-writer", "User guide"),
        spec("scan", "security-agent", "Scan for risky calls", writes=()),
    )
    tasks = (
        entry(
            "build",
            Phase.FAILED,
            failure=Failure(FailureKind.GATE, "the gate failed: pytest -q", "2 failed, 39 passed"),
            reason="the gate failed: pytest -q",
            **ended(2, 61, 70),
        ),
        entry(
            "lint",
            Phase.FAILED,
            failures=1,
            failure=Failure(FailureKind.LAUNCH, "the program ruff is not installed"),
            reason="the program ruff is not installed",
            **ended(2, 3, 3, exit_code=None),
        ),
        entry("unit", Phase.SKIPPED, reason="needs build, which failed", ended_at=START + 70),
        entry("ship", Phase.SKIPPED, reason="needs unit, which was skipped", ended_at=START + 70),
        entry(
            "guide",
            Phase.ABORTED,
            stop=StopCause.ABORT,
            reason="aborted by you",
            **ended(2, 44, 45, exit_code=None),
        ),
        entry(
            "scan",
            Phase.FAILED,
            failures=1,
            failure=Failure(FailureKind.TIMEOUT, "still running after its timeout of 60 s"),
            reason="still running after its timeout of 60 s",
            **ended(2, 62, 63, exit_code=None),
        ),
    )
    return run_of(
        specs,
        tasks,
        goal="Harden the build",
        stage=RunStage.FINISHED,
        outcome=Outcome.GATE_FAILED,
        exit_code=4,
        finished_at=START + 71,
        now=START + 71,
        base_gate_red=False,
        land_status=LandStatus.REFUSED,
        land_detail="not every task succeeded, so nothing was landed on the branch",
    )


def finished() -> RunState:
    """Return a run that succeeded and was landed on the user's branch."""
    tasks = tuple(
        entry(
            one.id,
            Phase.DONE if one.is_read_only else Phase.LANDED,
            progress=1.0,
            landed=None if one.is_read_only else CommitId(f"{number:x}" * 40),
            files=() if one.is_read_only else (f"src/{one.id}.py",),
            reason="done" if one.is_read_only else "",
            **ended(4 + 9 * number, 90 + 11 * number, 92 + 11 * number),
        )
        for number, one in enumerate(SPECS, 1)
    )
    resolved = replace(
        OPEN_CONFLICT, decision=Decision.RERUN, resolved_by="pex", resolved_at=START + 100
    )
    return run_of(
        SPECS,
        tasks,
        conflicts=(resolved,),
        stage=RunStage.FINISHED,
        outcome=Outcome.OK,
        exit_code=0,
        finished_at=START + 204,
        now=START + 204,
        land_status=LandStatus.LANDED,
        land_detail="main is at 4f1c09e",
        tip=TIP,
    )


def conflicted() -> RunState:
    """Return a run that waits: one conflict is open, and a task needs its decision."""
    keep = {TaskId("docs"), TaskId("refunds"), TaskId("changelog")}
    specs = tuple(one for one in SPECS if one.id in keep)
    tasks = tuple(one for one in BUSY if one.id in keep)
    return run_of(specs, tasks, tip=TIP, conflicts=(OPEN_CONFLICT,), verify=(("pytest", "-q"),))


def asking_for_protected() -> RunState:
    """Return the same run, but with a conflict over protected paths."""
    files = ("ci/check.sh", ".github/workflows/release.yml", ".husky/pre-commit")
    conflict = replace(
        OPEN_CONFLICT,
        kind=ConflictKind.PROTECTED,
        tasks=(TaskId("refunds"),),
        files=tuple(ConflictPath(path, "protected") for path in files),
    )
    before = conflicted()
    asking = replace(
        before.task(TaskId("refunds")), reason=f"changes protected {files[0]}: it waits for you"
    )
    tasks = tuple(asking if one.id == asking.id else one for one in before.tasks)
    return replace(before, conflicts=(conflict,), tasks=tasks)


def crowded() -> RunState:
    """Return a run with every phase and every kind of wait at once."""
    pg = (LockRequest(LockName("postgres")),)
    specs = (
        *SPECS,
        spec("unit", "qa-engineer", "Unit tests", locks=pg, writes=("tests/unit/**",)),
        spec("load", "qa-engineer", "Load tests", locks=pg, writes=("tests/load/**",)),
        spec("views", "ui-builder", "Views", writes=("src/pay/models.py",)),
        spec("emails", "ui-builder", "E-mails", writes=("src/mail/**",)),
        spec("types", "refactorer", "Type hints", writes=("src/types/**",)),
        spec("cache", "perf-tuner", "Cache", writes=("src/cache/**",)),
        spec("audit", "security-agent", "Audit", writes=()),
        spec("i18n", "ui-builder", "Translations", writes=("locale/**",)),
        spec("ship", "release-agent", "Ship it", "legacy"),
        spec("brand", "ui-builder", "New logo", writes=("web/logo.svg",)),
        spec("metrics", "perf-tuner", "Metrics", writes=("src/metrics/**",)),
    )
    extra = (
        entry("unit", Phase.STOPPING, stop=StopCause.ABORT, **live(6, 150)),
        entry(
            "load",
            Phase.READY,
            ready_at=NOW - 40,
            wait=Wait(WaitCause.RESOURCE, ("postgres", "unit"), NOW - 40),
        ),
        entry(
            "views",
            Phase.READY,
            ready_at=NOW - 30,
            wait=Wait(WaitCause.EXCLUDED, ("models",), NOW - 30),
        ),
        entry("emails", Phase.READY, ready_at=NOW - 12),
        entry("types", Phase.QUEUED, work=CommitId("c" * 40), **ended(60, 200)),
        entry(
            "cache",
            Phase.LANDING,
            work=CommitId("d" * 40),
            landing_stage=LandingStage.GATING,
            **ended(50, 190),
        ),
        entry("audit", Phase.DONE, reason="done", **ended(10, 80, 81)),
        entry("i18n", Phase.CAPTURING, **ended(100, 224)),
        entry("ship", Phase.SKIPPED, reason="needs legacy, which failed", ended_at=START + 156),
        entry("brand", Phase.READY, held=True, ready_at=NOW - 90),
        entry("metrics", Phase.ABORTED, reason="aborted by you", **ended(20, 70, 71)),
    )
    return run_of(
        specs,
        (*BUSY, *extra),
        tip=TIP,
        conflicts=(OPEN_CONFLICT,),
        landing=(TaskId("cache"), TaskId("types")),
        capacity=6,
    )


QUESTIONS = {
    "models": (
        Permission(
            "q7",
            "shell",
            "run pip install pydantic",
            ("pip install pydantic",),
            "shell: pip install",
            NOW - 41,
        ),
        Permission(
            "q3",
            "edit",
            "edit src/pay/money.py",
            ("src/pay/money.py",),
            "edit below src/pay",
            NOW - 120,
            Verdict.ALLOW_ONCE,
            "you",
        ),
    ),
    "threats": (
        Permission(
            "q1",
            "write",
            "write reports/threats.md",
            ("reports/threats.md", "reports/index.md"),
            "write below reports",
            NOW - 9,
        ),
    ),
}


def asking() -> RunState:
    """Return the busy run with two agents that wait for a permission and report their usage."""
    tasks = tuple(
        replace(
            task,
            listens=True,
            permissions=QUESTIONS.get(task.id, ()),
            tokens=48_200,
            cost_usd=0.31,
        )
        if task.phase is Phase.RUNNING
        else task
        for task in BUSY
    )
    return run_of(SPECS, tasks, tip=TIP, conflicts=(OPEN_CONFLICT,))


HOSTILE = "\x1b]0;pwned\x07\x1b[2J[bold red]x[/]\u202eevil\x9b31m\x00[/]"


def hostile() -> RunState:
    """Return the busy run with foreign text that tries to control the terminal."""
    specs = tuple(replace(one, prompt=f"{HOSTILE} {one.id}") for one in SPECS)
    tasks = tuple(
        replace(
            task,
            activity=HOSTILE,
            reason=f"conflict in {HOSTILE}" if task.phase is Phase.CONFLICT else HOSTILE,
            files=(HOSTILE,),
            workspace=HOSTILE,
        )
        for task in BUSY
    )
    conflict = replace(OPEN_CONFLICT, files=(ConflictPath(HOSTILE),))
    return run_of(specs, tasks, tip=TIP, conflicts=(conflict,), goal=HOSTILE, notices=(HOSTILE,))
