"""Plans and conflicts for the tests of the review screens."""

from msgspec.structs import replace

from pex_tui.core.model.ids import AgentName, TaskId
from pex_tui.core.model.plan import Isolation, Plan, TaskSpec
from pex_tui.core.model.plan_graph import PlanGraph
from pex_tui.core.model.run_rules import RunRules
from pex_tui.engine.conflict_sides import ConflictSides
from pex_tui.engine.session import PlanDraft

_ROWS = (
    ("schema", "db-migrator", "", "db/schema.sql", 120),
    ("api-spec", "api-designer", "", "openapi.yaml", 187),
    ("models", "swebok-engineer", "schema", "src/pay/models.py", 254),
    ("migration", "db-migrator", "schema", "db/migrations/", 141),
    ("routes", "swebok-engineer", "api-spec models", "src/pay/api.py", 208),
    ("repository", "swebok-engineer", "models migration", "src/pay/repo.py", 275),
    ("client", "ui-builder", "api-spec", "web/client/", 162),
    ("auth", "security-agent", "routes", "src/auth/", 229),
    ("ui", "ui-builder", "client", "web/checkout/", 296),
    ("integration", "qa-engineer", "repository auth", "tests/integ/", 123),
    ("e2e", "qa-engineer", "ui integration", "tests/e2e/", 190),
    ("docs", "docs-writer", "integration e2e", "docs/", 257),
)
API_BASE = b"def refund(id, amount):\n    p = get(id)\n    p.refund(amount)\n    return p\n"
API_OURS = (
    b"def refund(id, amount):\n    p = get(id)\n    p.refund(Money(amount))\n"
    b"    audit.log(p)\n    return p\n"
)
API_THEIRS = (
    b'def refund(id, amount):\n    """Refund a payment."""\n    p = get(id)\n'
    b"    p.refund(amount)\n    return p.reload()\n"
)


def plan_of(*tasks: TaskSpec, **fields: object) -> PlanDraft:
    """Return a draft of these tasks."""
    plan = replace(Plan(tasks, goal="add-payments-api"), **fields)
    return PlanDraft("add-payments-api", plan, PlanGraph.build(plan, RunRules()), RunRules())


def twelve() -> PlanDraft:
    """Return twelve tasks in six waves, with a gate."""
    return plan_of(
        *(
            TaskSpec(
                TaskId(name),
                ("true",),
                agent=AgentName(agent),
                prompt=f"{name} of the payments API",
                needs=tuple(TaskId(need) for need in needs.split()),
                writes=(writes,),
                estimate_seconds=float(seconds),
            )
            for name, agent, needs, writes, seconds in _ROWS
        ),
        verify=(("pytest", "-q"),),
    )


def small() -> PlanDraft:
    """Return three tasks with warnings: no gate, unknown writes."""
    draft = plan_of(
        TaskSpec(TaskId("unit"), ("pytest", "-q"), writes=(), isolation=Isolation.SHARED),
        TaskSpec(TaskId("format"), ("ruff", "format")),
        TaskSpec(TaskId("types"), ("python", "add_types.py"), needs=(TaskId("format"),)),
    )
    return replace(draft, notices=("Your uncommitted work (2 changed files) is not in the run.",))


def text_conflict() -> tuple[ConflictSides, ...]:
    """Return a conflict in which both sides changed the same function, and a changelog."""
    merged = b"<<<<<<< api\n" + API_OURS + b"=======\n" + API_THEIRS + b">>>>>>> docs\n"
    return (
        ConflictSides("src/pay/api.py", "content", API_BASE, API_OURS, API_THEIRS, merged),
        ConflictSides(
            "CHANGELOG.md",
            "content",
            b"# Changes\n\n- one\n",
            b"# Changes\n\n- refunds\n- one\n",
            b"# Changes\n\n- docs\n- one\n",
            b"<<<<<<<\n",
        ),
    )


def binary_conflict() -> tuple[ConflictSides, ...]:
    """Return a picture that both sides replaced."""
    return (
        ConflictSides("logo.png", "binary", b"\x89PNG\0a", b"\x89PNG\0bb", b"\x89PNG\0ccc", None),
    )


def deletion() -> tuple[ConflictSides, ...]:
    """Return a file that one side removed and the other changed."""
    return (ConflictSides("src/old.py", "modify/delete", API_BASE, API_OURS, None, None),)


def both_added() -> tuple[ConflictSides, ...]:
    """Return a file of the same name added by both sides."""
    ours, theirs = b"[tool]\nlines = 100\n", b"[tool]\nlines = 88\nstrict = true\n"
    merged = b"<<<<<<< api\n" + ours + b"=======\n" + theirs + b">>>>>>> docs\n"
    return (ConflictSides("settings.toml", "add/add", None, ours, theirs, merged),)


def odd_kinds() -> tuple[ConflictSides, ...]:
    """Return a file that both renamed, a submodule that both moved, and a link."""
    return (
        ConflictSides("src/new_name.py", "rename/rename", None, API_OURS, None, None),
        ConflictSides(
            "vendor/lib",
            "submodule",
            b"Subproject commit 1111111111111111111111111111111111111111\n",
            b"Subproject commit 2222222222222222222222222222222222222222\n",
            b"Subproject commit 3333333333333333333333333333333333333333\n",
            None,
        ),
        ConflictSides("current", "symlink", b"v1", b"v2", b"v3", None),
    )


def protected_changes() -> tuple[ConflictSides, ...]:
    """Return a task that weakens its gate's script, adds a workflow and makes a hook executable."""
    check, weak = b"#!/bin/sh\nset -e\npytest -q\nmypy src\n", b"#!/bin/sh\nset -e\nexit 0\n"
    flow, hook = b"on: push\njobs: {}\n", b"#!/bin/sh\ntrue\n"
    return (
        ConflictSides("ci/check.sh", "protected", check, weak, check, weak),
        ConflictSides(".github/workflows/release.yml", "protected", None, flow, None, flow),
        ConflictSides(".husky/pre-commit", "protected", hook, hook, hook, hook),
    )
