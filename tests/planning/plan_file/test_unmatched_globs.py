"""Globs that match nothing: which are reported, and the suggestions."""

import pytest

from pex_tui.core.model.plan import UnmatchedGlob
from pex_tui.core.model.plan_graph import PlanGraph
from pex_tui.core.model.run_rules import RunRules
from pex_tui.planning.plan_file.context import PlanContext
from pex_tui.planning.plan_file.warnings import plan_warnings
from tests.planning.conftest import Parse

TRACKED = frozenset({"README.md", "src/api/routes.py", "src/api/deep/x.py", "docs/guide.md"})
CONTEXT = PlanContext(tracked=TRACKED)


@pytest.mark.parametrize(
    "glob",
    [
        *("README.md", "src/api/routes.py", "src/**", "src/api", "docs/", "**/*.py", "*.md"),
        *("NEWS.md", "src/api/new.py", "./docs/other.md"),  # new files of existing folders
    ],
)
def test_what_is_there_or_may_be_made_there_is_not_told(parse: Parse, glob: str) -> None:
    plan = parse(f"tasks: [{{id: a, command: x, writes: ['{glob}']}}]", CONTEXT)

    assert plan.unmatched == ()


@pytest.mark.parametrize(
    ("glob", "meant"),
    [
        ("reports/security.md", ""),
        ("scr/api/routes.py", "src/api/routes.py"),
        ("src/apis/**", "src/api/**"),
        ("src/api/*.ts", ""),
        ("REAMDE.md", "README.md"),
        ("Docs", "docs"),
    ],
)
def test_what_may_be_mistyped_is_told_with_a_guess(parse: Parse, glob: str, meant: str) -> None:
    plan = parse(f"tasks: [{{id: a, command: x, writes: ['{glob}']}}]", CONTEXT)

    assert plan.unmatched == (UnmatchedGlob(plan.tasks[0].id, glob, meant),)


def test_nothing_is_told_where_nobody_knows_what_is_there(parse: Parse) -> None:
    assert parse("tasks: [{id: a, command: x, writes: [no/**]}]").unmatched == ()


def test_each_is_a_warning_with_a_remedy_and_many_are_cut_short(parse: Parse) -> None:
    globs = ", ".join(f"no{number}/**" for number in range(10))
    plan = parse(
        f"tasks: [{{id: a, command: x, writes: [scr/**, {globs}]}}, "
        "{id: b, command: x, writes: [nowhere/x], enabled: false}]",
        CONTEXT,
    )
    rules = RunRules()

    told = [
        one
        for one in plan_warnings(plan, PlanGraph.build(plan, rules), rules)
        if "match" in one.text
    ]

    assert len(told) == 9
    assert told[0].text == "a is to write scr/**, which matches nothing in the repository"
    assert told[0].remedy == "Did you mean src/**? Nothing to do if the task is to make it."
    assert told[-1].text == "3 more globs in writes: match nothing either"
