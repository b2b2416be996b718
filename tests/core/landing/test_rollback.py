from collections.abc import Callable

from pex_tui.core.events.actions import LandRun
from pex_tui.core.events.rollback_events import RollbackBegun, RollbackUndone, RunRolledBack
from pex_tui.core.events.run_events import LandRequested, RetryRequested, RunFinished, RunLanded
from pex_tui.core.model.ids import CommitId, TaskId
from pex_tui.core.model.phases import Phase, RunStage
from pex_tui.core.model.state import LandStatus, Outcome
from pex_tui.core.outcome import conclude
from pex_tui.core.step import replay
from tests.core.world import BASE, World, shipped, task

Make = Callable[..., World]
A, B = TaskId("a"), TaskId("b")
BACK = CommitId("c" * 40)


def finished(world: Make, **rules: bool) -> World:
    run = world(task("a"), task("b", "a"), rules=shipped(**rules))
    for name in "ab":
        run.run(name)
        run.finish(name, f"{name}.txt")
    if not rules:
        run.send(RunFinished(Outcome.OK, 0))
    return run


def test_a_rolled_back_task_has_not_landed_and_the_run_says_so(world: Make) -> None:
    run = finished(world)
    landed = run.task("b").landed

    run.send(RollbackBegun("u1", (B,), "you"))
    assert run.state.rolling_back == "u1"
    run.send(RunRolledBack("u1", (B,), BACK, "", None, "you"))

    assert (run.phase("a"), run.phase("b")) == (Phase.LANDED, Phase.ABORTED)
    assert run.task("b").rolled_back == landed
    assert run.task("b").landed is None
    assert run.state.rolling_back == ""
    assert (run.state.stage, run.state.outcome) == (RunStage.FINISHED, Outcome.ROLLED_BACK)
    assert conclude(run.state) == (Outcome.ROLLED_BACK, 1)
    assert run.state.tip == BACK
    assert replay(run.events) == run.state


def test_what_was_rolled_back_comes_back_as_it_was(world: Make) -> None:
    run = finished(world)
    run.send(LandRequested("you"), RunLanded("main", BACK))
    before = run.state
    run.send(RunRolledBack("u1", (A, B), BASE, "main", BACK, "you"))
    assert run.state.land_detail == ""

    run.send(RollbackUndone("u1", (A, B), before.tip or BASE, "main", BACK, "you"))

    assert run.state.tasks == before.tasks
    assert (run.state.outcome, run.state.exit_code) == (Outcome.OK, 0)
    assert run.state.land_status is LandStatus.LANDED
    assert replay(run.events) == run.state


def test_what_comes_back_on_the_runs_branch_alone_has_not_landed_on_the_users(world: Make) -> None:
    run = finished(world)
    run.send(RunRolledBack("u1", (B,), BACK, "", None, "you"))
    run.send(LandRequested("you"), RunLanded("main", BACK))  # with the rollback of b
    landed = run.state
    assert landed.land_status is LandStatus.LANDED

    run.send(RollbackUndone("u1", (B,), BASE, "", None, "you"))

    assert run.state.land_status is LandStatus.NOT_ASKED
    assert replay(run.events) == run.state


def test_a_rolled_back_task_may_run_again(world: Make) -> None:
    run = finished(world)
    run.send(RunRolledBack("u1", (B,), BACK, "", None, "you"))

    run.send(RetryRequested(B, "you"))

    assert run.phase("b") is Phase.STARTING
    assert run.task("b").rolled_back is None


def test_a_run_that_lands_at_its_end_lands_nothing_by_itself_after_a_rollback(world: Make) -> None:
    run = finished(world, land_at_end=True)
    run.send(RunLanded("main", BACK), RunFinished(Outcome.OK, 0))
    run.actions.clear()

    run.send(RunRolledBack("u1", (A, B), BASE, "main", BACK, "you"))
    run.send(RollbackUndone("u1", (A, B), BACK, "", None, "you"))

    assert run.state.land_status is LandStatus.REFUSED
    assert not [action for action in run.actions if isinstance(action, LandRun)]
