import json
from collections.abc import Iterator
from typing import Any

import pytest

from pex_tui.core.model.plan import Expects, Isolation, Priority, Strategy
from pex_tui.planning.fields.declaration import SectionOf
from pex_tui.planning.fields.schema import PlanFile, TaskFile, plan_schema
from pex_tui.planning.plan_file.context import PlanContext
from pex_tui.planning.plan_file.parser import parse_plan
from pex_tui.resources import shipped
from tests.tools.schema_text import schema_text


def test_the_shipped_schema_is_the_one_that_the_types_make() -> None:
    """If this fails: python -m tests.tools."""
    assert shipped("config/schema/plan.json").read_text("utf-8") == schema_text(plan_schema())


def _properties() -> Iterator[tuple[str, dict[str, Any]]]:
    schema = plan_schema()
    yield from schema["properties"].items()
    yield from schema["properties"]["tasks"]["items"]["properties"].items()


@pytest.mark.parametrize(("key", "described"), list(_properties()))
def test_every_key_has_a_description_and_an_example(key: str, described: dict[str, Any]) -> None:
    assert described["description"]
    assert described.get("examples") or key == "tasks"


def test_unknown_keys_are_no_part_of_the_schema() -> None:
    schema = plan_schema()
    assert schema["additionalProperties"] is False
    assert schema["properties"]["tasks"]["items"]["additionalProperties"] is False


@pytest.mark.parametrize(
    ("key", "kind"), [("strategy", Strategy), ("priority", Priority), ("expects", Expects)]
)
def test_choices_are_those_of_the_types(key: str, kind: type[Strategy]) -> None:
    described = dict(_properties())[key]
    offered = described.get("enum") or described["anyOf"][0]["enum"]
    assert offered == [member.value for member in kind]


def test_isolation_offers_what_this_version_has() -> None:
    (offered,) = [described["enum"] for key, described in _properties() if key == "isolation"]
    assert [one for one in offered if one != "clone"] == [member.value for member in Isolation]


def test_clone_means_what_worktree_means() -> None:
    tasks = [{"id": "x", "command": "true", "isolation": one} for one in ("clone", "worktree")]
    clone, worktree = (
        parse_plan(json.dumps({"tasks": [task]}), "plan.json", PlanContext()) for task in tasks
    )
    assert clone.tasks == worktree.tasks


@pytest.mark.parametrize("key", sorted(set(SectionOf(TaskFile).keys) - {"id", "stage", "agent"}))
def test_every_example_of_a_task_parses(key: str) -> None:
    for example in SectionOf(TaskFile).keys[key].key.examples:
        task = {"id": "x", "command": "true"} | {key: example}
        tasks = [task, {"id": "audit", "command": "true"}]
        tasks.append({"id": "docs", "command": "true"})
        parse_plan(json.dumps({"tasks": tasks}), "plan.json", PlanContext())


@pytest.mark.parametrize("key", sorted(set(SectionOf(PlanFile).keys) - {"tasks"}))
def test_every_example_of_a_plan_parses(key: str) -> None:
    for example in SectionOf(PlanFile).keys[key].key.examples:
        content = {key: example, "tasks": [{"id": "x", "command": "true"}]}
        parse_plan(json.dumps(content), "plan.json", PlanContext())
