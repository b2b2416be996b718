import pytest
from msgspec.structs import replace

from pex_tui.core.model.ids import CommitId, RunId, TaskId
from pex_tui.core.model.phases import Phase, RunStage
from pex_tui.core.model.plan import Plan
from pex_tui.core.model.plan_graph import PlanGraph
from pex_tui.core.model.run_rules import RunRules
from pex_tui.core.model.state import LandStatus, Outcome, RunState
from pex_tui.core.model.task_state import Failure, FailureKind, TaskState
from pex_tui.core.outcome import conclude
from tests.core.world import task

GATE = Failure(FailureKind.GATE, "the gate failed")
EXIT = Failure(FailureKind.EXIT, "exit 1")


def run_of(*tasks: tuple[Phase, Failure | None], stage: RunStage = RunStage.RUNNING) -> RunState:
    plan = Plan(tuple(task(f"t{number}") for number in range(len(tasks))))
    rules = RunRules()
    return RunState(
        run=RunId("r"),
        plan=plan,
        planned=plan,
        rules=rules,
        graph=PlanGraph.build(plan, rules),
        base=CommitId("b"),
        branch="pex/r",
        target="main",
        created_at=0.0,
        seed=0,
        capacity=1,
        tasks=tuple(
            TaskState(TaskId(f"t{number}"), phase, failure=failure)
            for number, (phase, failure) in enumerate(tasks)
        ),
        stage=stage,
    )


LANDED = (Phase.LANDED, None)
FAILED = (Phase.FAILED, EXIT)
GATED = (Phase.FAILED, GATE)
CONFLICT = (Phase.CONFLICT, None)
ABORTED = (Phase.ABORTED, None)
WAITING = (Phase.WAITING, None)


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        ((), (Outcome.OK, 0)),
        ((LANDED, (Phase.DONE, None)), (Outcome.OK, 0)),
        ((LANDED, FAILED), (Outcome.FAILED, 1)),
        ((LANDED, ABORTED), (Outcome.ABORTED, 1)),
        ((LANDED, CONFLICT, WAITING), (Outcome.CONFLICTS, 3)),
        ((GATED, LANDED), (Outcome.GATE_FAILED, 4)),
        ((FAILED, CONFLICT), (Outcome.CONFLICTS, 3)),
        ((ABORTED, FAILED), (Outcome.FAILED, 1)),
        ((FAILED, CONFLICT, GATED), (Outcome.GATE_FAILED, 4)),
    ],
)
def test_the_gravest_of_what_happened_is_the_outcome(
    tasks: tuple[tuple[Phase, Failure | None], ...], expected: tuple[Outcome, int]
) -> None:
    assert conclude(run_of(*tasks)) == expected


def test_a_run_that_was_told_to_stop_and_has_work_left_is_interrupted() -> None:
    state = run_of(GATED, WAITING, stage=RunStage.DRAINING)

    assert conclude(state) == (Outcome.INTERRUPTED, 130)


def test_a_run_that_was_told_to_stop_after_its_last_task_is_not_interrupted() -> None:
    state = run_of(LANDED, FAILED, stage=RunStage.DRAINING)

    assert conclude(state) == (Outcome.FAILED, 1)


def test_a_run_that_was_told_to_stop_before_it_was_brought_to_its_branch_is_interrupted() -> None:
    state = run_of(LANDED, stage=RunStage.DRAINING)

    assert conclude(replace(state, land_status=LandStatus.ASKED))[1] == 130


def test_a_run_that_could_not_be_brought_to_its_branch_has_failed() -> None:
    refused = replace(run_of(LANDED), land_status=LandStatus.REFUSED)

    assert conclude(refused) == (Outcome.FAILED, 1)
