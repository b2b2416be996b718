"""A run whose journal is an older copy."""

from collections.abc import Callable

from msgspec.structs import replace

from pex_tui.core.consequences import is_over
from pex_tui.core.events.actions import AdoptAgent, MergeWork, StartAgent
from pex_tui.core.events.capture_events import CaptureFailed
from pex_tui.core.events.landing_events import BranchMoved
from pex_tui.core.events.run_events import AttemptFound, AttemptReturned, RunAdopted, RunFinished
from pex_tui.core.invariants import violations
from pex_tui.core.model.ids import SlotId, TaskId
from pex_tui.core.model.phases import Phase
from pex_tui.core.outcome import conclude
from pex_tui.core.step import replay
from tests.core.world import World, task

Make = Callable[..., World]
A, B = TaskId("a"), TaskId("b")


def found(run: World, *attempts: tuple[TaskId, int], landed: tuple[TaskId, ...] = ()) -> None:
    moved = [BranchMoved(one, run.task(one).attempt, run.commit(), found=True) for one in landed]
    run.send(
        *moved,
        *(AttemptFound(one, attempt) for one, attempt in attempts),
        RunAdopted(1, "you"),
    )


def test_a_run_that_is_resumed_with_other_guards_says_so(world: Make) -> None:
    allow, rate = ("safety.network.allow", "[localhost]"), ("safety.network.rate", "none")
    run = world(task("a"))
    run.send(RunAdopted(1, "you", guards=(allow, rate)))  # of a recording without them
    quiet = len(run.state.notices)

    run.send(RunAdopted(2, "you", guards=(("safety.network.allow", "[*]"), rate)))

    told = run.state.notices[-1]
    assert (quiet, len(run.state.notices)) == (0, 1)
    assert "safety.network.allow is [*], was [localhost]. What `--set` says" in told
    run.send(RunAdopted(3, "you"))  # only to abort
    assert run.state.guards == (("safety.network.allow", "[*]"), rate)
    assert replay(run.events) == run.state


def test_an_attempt_that_only_the_disk_knows_is_adopted_and_the_next_has_a_new_number(
    world: Make,
) -> None:
    run = world(task("b"), task("a", "b"))
    run.exit("b")
    run.send(AttemptFound(A, 3), RunAdopted(1, "you"))
    before = len(run.actions)

    run.capture("b")

    assert AdoptAgent(A, 3, SlotId(1)) in run.actions[before:]
    run.send(AttemptReturned(A, 3, "its engine ended before it could start"))
    assert run.actions[-1] == StartAgent(A, 4, SlotId(1))


def test_what_such_an_attempt_left_is_captured_and_one_that_left_nothing_is_made_again(
    world: Make,
) -> None:
    run = world(task("b"), task("a", "b", retries=0))
    run.exit("b")
    run.send(AttemptFound(A, 2))
    run.capture("b")
    run.exit("a")
    assert (run.phase("a"), run.task("a").attempt) == (Phase.CAPTURING, 2)

    run.send(CaptureFailed(A, 2, "its workspace is gone", gone=True))

    assert (run.phase("a"), run.task("a").attempt) == (Phase.STARTING, 3)


def test_an_older_attempt_that_the_journal_has_running_gives_way_to_the_newest(
    world: Make,
) -> None:
    run = world(task("a"))
    run.run("a")
    found(run, (A, 2))

    run.send(AttemptReturned(A, 1, "nothing is known of it"))
    run.capture("a")

    assert run.task("a").found == 2


def test_what_has_landed_is_landed_in_whatever_phase_the_journal_has_it(world: Make) -> None:
    def ready(_run: World) -> None: ...
    def running(run: World) -> None:
        run.run("a")

    def capturing(run: World) -> None:
        run.exit("a")

    def landing(run: World) -> None:
        running(run)
        run.exit("a")
        run.capture("a", "x")

    def moving(run: World) -> None:
        landing(run)
        run.merge("a")

    def failed(run: World) -> None:
        run.exit("a", code=1)
        run.capture("a")
        run.send(RunFinished(*conclude(run.state)))

    for phase in (ready, running, capturing, landing, moving, failed):
        run = world(task("a", retries=0), task("b", "a"))
        phase(run)
        found(run, landed=(A,))

        assert run.phase("a") is Phase.LANDED, phase
        assert run.task("a").landed == run.state.tip
        assert run.phase("b") is Phase.STARTING, phase
        run.finish("b")
        assert is_over(run.state, attended=False)


def test_a_landed_task_without_a_commit_is_a_violation(world: Make) -> None:
    run = world(task("a"))
    run.finish("a", "x.py")
    broken = replace(run.state.tasks[0], landed=None)

    assert violations(run.state) == ()
    (told,) = violations(replace(run.state, tasks=(broken,)))
    assert told == "task a is landed with landed commit None"


def test_those_in_the_queue_are_merged_onto_what_was_found(world: Make) -> None:
    run = world(task("a"), task("b"))
    for name in ("a", "b"):
        run.exit(name)
        run.capture(name, name)
    run.merge("a")
    before = len(run.actions)

    found(run, landed=(B,))

    work = run.task("a").work
    assert work is not None
    assert set(run.actions[before:]) == {MergeWork(A, 1, work)}
    run.land("a")
    assert run.phase("a") is Phase.LANDED
