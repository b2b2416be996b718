"""The task's details."""

from typing import Any

import pytest
from msgspec.structs import replace

from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.task_state import Failure, FailureKind, TaskState
from pex_tui.core.views.task_details import task_details
from tests.tui import states

NOW = states.NOW


@pytest.mark.parametrize(
    ("task", "told"),
    [
        ("emails", "0:12, ready since 3:33 into the run"),
        ("changelog", "3:45, since the run began"),
    ],
)
def test_a_waiting_task_tells_since_when(task: str, told: str) -> None:
    assert dict(task_details(states.crowded(), TaskId(task), NOW))["waiting"] == told


def test_a_running_task_waits_for_nothing() -> None:
    told = dict(task_details(states.crowded(), TaskId("models"), NOW))
    assert not {"waiting", "waits on"} & told.keys()


@pytest.mark.parametrize(
    ("own", "shown"), [({}, None), ({"own_commits": 2}, "2, kept; what lands is one commit")]
)
def test_commits_that_the_agent_made_itself_are_told(
    own: dict[str, Any], shown: str | None
) -> None:
    state = states.crowded()
    fresh = TaskState(TaskId("models"), **own)
    tasks = tuple(fresh if one.id == fresh.id else one for one in state.tasks)
    told = dict(task_details(replace(state, tasks=tasks), fresh.id, NOW))
    assert told.get("own commits") == shown


def test_a_failure_shows_the_end_of_what_its_gate_printed() -> None:
    printed = "\n".join(f"line {number}" for number in range(20))
    state = states.crowded()
    failure = Failure(FailureKind.GATE, "pytest", printed)
    tasks = tuple(
        replace(one, failure=failure) if one.id == "legacy" else one for one in state.tasks
    )
    lines = task_details(replace(state, tasks=tasks), TaskId("legacy"), NOW)
    assert [text for name, text in lines if not name] == [
        f"line {number}" for number in range(12, 20)
    ]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "256M of memory, 20% of the machine's CPU; held to it only while others need it"),
        (
            {"memory_bytes": 2 * 1024**3, "cpu_cores": 0.5},
            "2.0G of memory, 50% of a core; held to it only while others need it",
        ),
    ],
)
def test_what_a_task_reserves_says_when_it_is_held_to_it(fields: dict[str, Any], told: str) -> None:
    state = states.crowded()
    tasks = tuple(
        replace(spec, **fields) if spec.id == "models" else spec for spec in state.plan.tasks
    )
    limited = replace(state, plan=replace(state.plan, tasks=tasks))
    assert dict(task_details(limited, TaskId("models"), NOW))["reserves"] == told
