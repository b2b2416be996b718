"""Edits of a plan parse to the intended plan, and mistakes are reported by field."""

import pytest

from pex_tui.core.model.plan import LockMode, Plan
from pex_tui.planning.fields.problems import PlanError
from pex_tui.planning.plan_file.context import PlanContext
from pex_tui.planning.plan_file.edits import (
    FIELDS,
    by_field,
    drop_task,
    put_task,
    task_fields,
    toggle_need,
)
from pex_tui.planning.plan_file.parser import parse_plan
from tests.planning.written_plans import as_written

TEXT = """
version: 1
goal: Try edits
verify: [[pytest, -q]]
tasks:
  - id: one
    command: make docs
    prompt: |
      First line: with a colon
      second line
    writes: ["docs/**", "*.{c,h}"]
    locks: [db, {cache: shared}]
    env: {A: "1", B: x=y}
    estimate: 3m
    timeout: 10m
    retries: 0
    memory: 512MB
    cpu: 50%
    priority: high
    expects: changes
    commit: "docs: written"
  - {id: two, command: [python, -m, "this that"], needs: [one], writes: []}
  - {id: three, command: "true", needs: [one, two], enabled: false}
"""


def read(text: str) -> Plan:
    return parse_plan(text, "the plan", PlanContext())


@pytest.fixture
def plan() -> Plan:
    return read(TEXT)


def ids(plan: Plan) -> list[str]:
    return [spec.id for spec in plan.tasks]


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_task_that_is_put_back_as_it_was_changes_nothing(plan: Plan, position: int) -> None:
    edited = read(put_task(plan, position, task_fields(plan, position)))

    assert as_written(edited) == as_written(plan)


def test_fields_are_what_a_person_would_write(plan: Plan) -> None:
    first, second = task_fields(plan, 0), task_fields(plan, 1)

    assert first["writes"] == "docs/**, *.{c,h}"
    assert first["locks"] == "db, cache: shared"
    assert first["env"] == "A=1\nB=x=y"
    assert first["command"] == "make docs"
    assert first["prompt"].splitlines() == ["First line: with a colon", "second line"]
    assert second["writes"] == "[]"
    assert second["command"] == "[python, -m, this that]"
    assert set(first) | set(second) <= set(FIELDS)


def test_a_field_that_is_emptied_has_its_default_again(plan: Plan) -> None:
    fields = task_fields(plan, 0) | {"writes": "", "priority": " ", "locks": ""}

    spec = read(put_task(plan, 0, fields)).tasks[0]

    assert spec.writes is None
    assert spec.priority == "normal"
    assert spec.locks == ()


def test_an_argument_that_looks_like_a_truth_value_stays_text(plan: Plan) -> None:
    fields = task_fields(plan, 1) | {"command": "[echo, true, 007, 'a b']"}

    assert read(put_task(plan, 1, fields)).tasks[1].argv == ("echo", "true", "007", "a b")


def test_locks_keep_their_modes(plan: Plan) -> None:
    fields = task_fields(plan, 1) | {"locks": "a: shared, b"}

    locks = read(put_task(plan, 1, fields)).tasks[1].locks

    assert [(lock.name, lock.mode) for lock in locks] == [
        ("a", LockMode.SHARED),
        ("b", LockMode.EXCLUSIVE),
    ]


def test_a_new_name_is_used_by_those_who_need_the_task(plan: Plan) -> None:
    renamed = read(put_task(plan, 0, task_fields(plan, 0) | {"id": "uno"}))

    assert ids(renamed) == ["uno", "two", "three"]
    assert renamed.tasks[1].needs == ("uno",)
    assert renamed.tasks[2].needs == ("uno", "two")


def test_a_new_task_comes_last(plan: Plan) -> None:
    more = read(put_task(plan, None, {"id": "four", "command": "make four", "needs": "three"}))

    assert ids(more) == ["one", "two", "three", "four"]
    assert more.tasks[3].needs == ("three",)


def test_a_dropped_task_is_needed_by_nobody(plan: Plan) -> None:
    fewer = read(drop_task(plan, 0))

    assert ids(fewer) == ["two", "three"]
    assert [spec.needs for spec in fewer.tasks] == [(), ("two",)]


def test_a_need_is_added_and_taken_away(plan: Plan) -> None:
    without = read(toggle_need(plan, 2, 0))
    assert without.tasks[2].needs == ("two",)
    assert read(toggle_need(without, 2, 0)).tasks[2].needs == ("two", "one")


def test_a_need_that_closes_a_cycle_is_refused_by_name(plan: Plan) -> None:
    with pytest.raises(PlanError) as refused:
        read(toggle_need(plan, 0, 2))

    assert "cycle" in " ".join(refused.value.lines)


def test_mistakes_are_told_by_field(plan: Plan) -> None:
    wrong = {
        "id": "No!",
        "command": "x",
        "writes": "../out, src/**",
        "estimate": "soon",
        "locks": "a b",
        "priority": "urgent",
        "needs": "nobody",
        "memory": "much",
    }
    text = put_task(plan, 1, wrong)

    with pytest.raises(PlanError) as refused:
        read(text)
    found = by_field(refused.value, text, 1)

    assert {"writes", "estimate", "priority", "needs", "memory"} <= set(found)
    assert found["writes"][0].startswith('"../out" leaves the repository')
    assert "urgent" in found["priority"][0]


def test_what_is_wrong_with_another_task_is_told_apart(plan: Plan) -> None:
    text = put_task(plan, 0, task_fields(plan, 0) | {"needs": "three"})

    with pytest.raises(PlanError) as refused:
        read(text)

    assert sum(len(texts) for texts in by_field(refused.value, text, 0).values()) == len(
        refused.value.found
    )
