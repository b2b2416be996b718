"""Accuracy of predictions in small runs with results known by hand."""

from pex_tui.core.events.landing_events import MergeConflicted
from pex_tui.core.events.overlap_events import OverlapSeen, WritesSeen
from pex_tui.core.figures.history import read_history
from pex_tui.core.figures.metrics import Metrics, measure
from pex_tui.core.lifecycle.predictions import PredictionAccuracy
from pex_tui.core.model.conflict import ConflictPath, Decision
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.plan import Plan, PredictedConflict
from pex_tui.core.model.run_rules import OverlapPolicy
from tests.core.world import BASE, World, shipped, task

A, B, C, D = (TaskId(name) for name in "abcd")


def forecast(run: World) -> PredictionAccuracy:
    return read_history(run.events).prediction_accuracy


def figures(run: World) -> Metrics:
    return measure(read_history(run.events))


def test_kept_apart_a_common_file_makes_a_hit_and_none_a_false_alarm() -> None:
    specs = (
        task("a", writes=("x/**",)),
        task("b", writes=("x/**",)),
        task("c", writes=("y/**",)),
        task("d", writes=("y/**",)),
    )
    run = World(Plan(specs))
    for name, path in (("a", "x/1"), ("b", "x/1"), ("c", "y/1"), ("d", "y/2")):
        run.finish(name, path)

    told = forecast(run)

    assert (told.hits, told.false_alarms, told.missed) == (((A, B),), ((C, D),), ())
    assert (told.precision, told.recall) == (0.5, 1.0)


def test_what_conflicted_or_overlapped_and_was_not_predicted_is_missed() -> None:
    run = World(Plan(tuple(task(name, writes=None) for name in "abcd")))
    for name in "abcd":
        run.run(name)
    run.send(OverlapSeen(C, D, (ConflictPath("y.py"),)))
    run.finish("a", "x.py")
    run.exit("b")
    run.capture("b", "x.py")
    run.send(MergeConflicted(B, 1, run.state.tip or BASE, (ConflictPath("x.py"),), (A,)))

    told, found = forecast(run), figures(run)

    assert told.missed == ((A, B), (C, D))
    assert (told.precision, told.recall) == (None, 0.0)
    assert (found.conflicts_missed, found.conflicts_live) == (2, 1)
    assert [conflict.predicted_at for conflict in run.state.conflicts] == [None, None]


def test_what_was_predicted_and_risked_is_a_hit_once_it_conflicts() -> None:
    told_of = PredictedConflict(A, B, 0.4, "both will probably change x.py")
    unlikely = PredictedConflict(C, D, 0.1, "both will probably change y.py")
    specs = tuple(task(name, writes=None, beside=(A,) if name == "b" else ()) for name in "abcd")
    run = World(Plan(specs, collisions=(told_of, unlikely)))
    for name in "abcd":
        run.run(name)
    run.send(OverlapSeen(A, B, (ConflictPath("x.py"),)))

    told = forecast(run)

    assert (told.predicted, told.hits) == (((A, B),), ((A, B),))
    assert figures(run).conflicts_predicted == 1


def test_a_pair_of_which_one_failed_is_not_judged() -> None:
    run = World(Plan((task("a", writes=("x",)), task("b", writes=("x",), retries=0))))
    run.finish("a", "x")
    run.exit("b", code=1)
    run.capture("b")

    told = forecast(run)

    assert len(told.predicted) == 1
    assert (told.precision, told.recall) == (None, None)


def test_what_overlapped_while_the_run_went_on_was_not_predicted() -> None:
    specs = (
        task("a", writes=("a.py",)),
        task("b", writes=("b.py",)),
        task("c", "b", writes=("extra.py",)),
    )
    run = World(Plan(specs))
    run.run("a")
    run.now += 5
    run.send(WritesSeen(A, 1, ("a.py", "extra.py")))
    run.finish("b", "b.py")

    (conflict,) = run.state.conflicts
    assert (conflict.tasks, conflict.decision) == ((C, A), Decision.SERIALISED)
    assert (conflict.predicted_at, conflict.overlapping_at) == (None, 105)
    assert figures(run).conflicts_predicted == 0
    assert forecast(run).missed == ()  # so far
    run.finish("a", "a.py", "extra.py")
    run.finish("c", "extra.py")
    assert forecast(run).missed == ((A, C),)


def test_written_files_are_held_against_what_the_plan_as_approved_let_expect() -> None:
    specs = (
        task("a", writes=("a.py", "docs/**")),
        task("b", writes=None, predicted_writes=("b.py",)),
        task("c", writes=None),
        task("d", writes=()),
    )
    run = World(Plan(specs))
    run.run("a")
    run.send(WritesSeen(A, 1, ("a.py", "stray.py")))
    run.finish("a", "a.py", "stray.py")
    run.finish("b", "b.py")
    run.finish("c", "c.py")
    run.finish("d")

    told, found = forecast(run), figures(run)

    assert [(one.task, one.untouched, one.unexpected) for one in told.writes] == [
        ("a", ("docs/**",), ("stray.py",)),
        ("b", (), ()),
    ]
    assert (found.write_precision, found.write_recall) == (2 / 3, 2 / 3)


def test_nothing_to_measure_is_none() -> None:
    run = World(Plan((task("a", writes=None),)), shipped(radar=OverlapPolicy.OFF))
    run.finish("a", "x.py")

    found = figures(run)

    assert (found.conflict_precision, found.conflict_recall) == (None, None)
    assert (found.write_precision, found.write_recall) == (None, None)
    assert found.conflicts_live is None


def test_a_conflict_with_what_is_no_task_of_the_run_is_no_pair() -> None:
    run = World(Plan((task("a"),)))
    run.exit("a")
    run.capture("a", "x.py")
    run.send(MergeConflicted(A, 1, BASE, (ConflictPath("x.py"),), (TaskId("gone"),)))

    assert forecast(run).missed == ()
