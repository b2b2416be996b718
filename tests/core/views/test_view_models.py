"""View models of the monitor, and the sentences that give reasons."""

import pytest
from msgspec.structs import replace

from pex_tui.core.events.run_events import (
    AgentPaused,
    AgentResumed,
    PauseRequested,
    ResumeRequested,
    RunDrainRequested,
    RunFinished,
    TaskHeld,
)
from pex_tui.core.model.ids import SlotId, TaskId
from pex_tui.core.model.phases import TERMINAL, LandingStage, Phase, RunStage
from pex_tui.core.model.plan import Pace, Plan, Strategy
from pex_tui.core.model.state import Outcome, RunState
from pex_tui.core.model.task_state import (
    Failure,
    FailureKind,
    StopCause,
    TaskState,
    Wait,
    WaitCause,
)
from pex_tui.core.step import step
from pex_tui.core.views.remaining_time import stretch
from pex_tui.core.views.status import Status
from pex_tui.core.views.task_details import task_details
from pex_tui.core.views.timeline import SpanKind, timeline_view
from pex_tui.core.views.view_models import (
    header_view,
    overall_progress,
    slot_view,
    slot_views,
    task_row,
    task_rows,
)
from tests.core.world import World, shipped, task
from tests.tui import states

NOW = states.NOW

WHY = [
    ("models", "Editing src/pay/models.py"),
    ("ledger", "Paused by you, 0:22 ago"),
    ("docs", "Landed 4f1c09e, 3 files"),
    ("refunds", "Conflict in src/pay/api.py with docs"),
    ("checkout", "Retry 2/3 in 8 s: exit 1"),
    ("index", "Preparing a workspace"),
    ("changelog", "Blocked 0:14: refunds has an open conflict"),
    ("legacy", "Failed: exit 1, 4 attempts"),
    ("unit", "Aborting"),
    ("load", "Waits 0:40 for lock postgres (held by unit)"),
    ("views", "Waits 0:30 until models has landed: both write src/pay/models.py"),
    ("emails", "Queued 0:12 (#3)"),
    ("types", "Queued to merge (#2)"),
    ("cache", "Gate is running"),
    ("audit", "Done"),
    ("i18n", "Saving changes"),
    ("ship", "Skipped: needs legacy, which failed"),
    ("brand", "Paused by you before it started"),
    ("metrics", "Aborted by you"),
]


@pytest.mark.parametrize(("task", "text"), WHY)
def test_a_task_says_what_it_does_or_why_it_waits(task: str, text: str) -> None:
    assert task_row(states.crowded(), TaskId(task), NOW).activity == text


def changed(state: RunState, task: str, **fields: object) -> RunState:
    """Return the state with another state of one task."""
    tasks = tuple(replace(one, **fields) if one.id == task else one for one in state.tasks)
    return replace(state, tasks=tasks)


VARIANTS: list[tuple[str, dict[str, object], str]] = [
    ("models", {"activity": ""}, "Running"),
    ("models", {"held": True}, "Pausing"),
    ("ledger", {"held": False}, "Resuming"),
    ("index", {"workspace": "/pool/5"}, "Starting its command"),
    ("index", {"attempt": 2}, "Preparing a workspace, attempt 2"),
    ("unit", {"stop": StopCause.TIMEOUT}, "Stopping: timed out"),
    ("unit", {"stop": StopCause.RERUN}, "Stopping, to restart"),
    ("unit", {"stop": StopCause.INTERRUPT}, "Stopping with the run"),
    ("cache", {"landing_stage": LandingStage.MERGING}, "Merging"),
    ("cache", {"landing_stage": LandingStage.MOVING}, "Moving the branch"),
    (
        "cache",
        {"landing_stage": LandingStage.GATING_BASE},
        "Gate failed; checking the base",
    ),
    ("checkout", {"held": True}, "Paused by you before retry 2/3: exit 1"),
    ("checkout", {"retry_at": NOW - 5}, "Retry 2/3 in 0 s: exit 1"),
    (
        "checkout",
        {"failure": Failure(FailureKind.LIMIT, "429"), "retry_at": NOW + 9},
        "Resumes in 9 s: 429",
    ),
    ("docs", {"files": ("a",), "drift": ("a",)}, "Landed 4f1c09e, 1 file, 1 outside its writes"),
    (
        "legacy",
        {"failures": 1, "failure": Failure(FailureKind.GATE, "the gate failed: pytest -q")},
        "Gate failed: pytest -q",
    ),
    ("legacy", {"failure": None, "reason": ""}, "Failed"),
    ("audit", {"reason": "its change had landed already"}, "Its change had landed already"),
    (
        "load",
        {"wait": Wait(WaitCause.RESOURCE, ("postgres", "types"), NOW - 61)},
        "Waits 1:01 for lock postgres (types first)",
    ),
    (
        "views",
        {"wait": Wait(WaitCause.EXCLUDED, ("ledger", "contracts"), NOW)},
        "Waits 0:00 until models has landed: both write src/pay/models.py",
    ),
]


@pytest.mark.parametrize(("task", "fields", "text"), VARIANTS)
def test_the_words_follow_the_facts(task: str, fields: dict[str, object], text: str) -> None:
    state = changed(states.crowded(), task, **fields)
    assert task_row(state, TaskId(task), NOW).activity == text


def test_a_waiting_task_names_its_needs_and_which_are_met() -> None:
    assert task_row(states.calm(), TaskId("changelog"), NOW).activity == "Waits for docs ✓, refunds"


def test_a_release_waits_for_an_end_not_for_a_landing() -> None:
    specs = (
        states.spec("fix", "qa-engineer", "Fix"),
        states.spec("ship", "release-agent", "Ship"),
    )
    tasks = (
        states.entry("fix", Phase.RUNNING, **states.live(1, 1)),
        states.entry(
            "ship", Phase.READY, ready_at=NOW, wait=Wait(WaitCause.EXCLUDED, ("fix",), NOW)
        ),
    )
    row = task_row(states.run_of(specs, tasks), TaskId("ship"), NOW)
    assert row.activity == (
        "Waits 0:00 until fix has ended: release-agent never runs beside a task that may change "
        "files"
    )


def test_a_task_of_a_later_stage_waits_for_the_stage_before() -> None:
    specs = (
        states.spec("one", "a", "One", stage=1),
        states.spec("two", "a", "Two", stage=2),
    )
    state = states.run_of(
        specs,
        (states.entry("one", Phase.RUNNING, **states.live(1, 1)), TaskState(TaskId("two"))),
    )
    plan = Plan(specs, strategy=Strategy.STAGES)
    staged = replace(state, plan=plan, graph=type(state.graph).build(plan, state.rules))
    assert task_row(staged, TaskId("two"), NOW).activity == "Waits for stage 1 to end"


@pytest.mark.parametrize(
    ("stage", "text"),
    [
        (RunStage.PAUSED, "Waits: the run is paused"),
        (RunStage.DRAINING, "Won't start: the run is stopping"),
    ],
)
def test_a_ready_task_says_when_the_run_stands_still(stage: RunStage, text: str) -> None:
    state = replace(states.crowded(), stage=stage)
    assert task_row(state, TaskId("emails"), NOW).activity == text


def test_progress_that_nobody_told_stays_unknown() -> None:
    row = task_row(states.busy(), TaskId("threats"), NOW)
    assert (row.progress, row.percent) == (None, "–")


def test_a_task_that_has_not_begun_shows_no_figure() -> None:
    row = task_row(states.busy(), TaskId("changelog"), NOW)
    assert (row.progress, row.percent, row.time) == (None, "", "")


def test_the_time_of_an_attempt_leaves_its_pauses_out() -> None:
    state = changed(states.busy(), "ledger", paused_seconds=10.0)
    assert task_row(state, TaskId("ledger"), NOW).time == "1:53"


def test_equal_states_have_equal_rows() -> None:
    assert task_rows(states.busy(), NOW) == task_rows(states.busy(), NOW)


def test_one_changed_task_changes_one_row() -> None:
    before = task_rows(states.busy(), NOW)
    after = task_rows(changed(states.busy(), "models", activity="Testing"), NOW)
    assert [old.id for old, new in zip(before, after, strict=True) if old != new] == ["models"]


def test_a_held_task_is_marked_as_paused_and_a_blocked_one_as_blocked() -> None:
    marks = {row.id: row.status for row in task_rows(states.crowded(), NOW)}
    assert marks[TaskId("brand")] is Status.PAUSED
    assert marks[TaskId("changelog")] is Status.BLOCKED


def test_text_from_outside_is_cleaned() -> None:
    row = task_row(states.hostile(), TaskId("models"), NOW)
    assert row.activity.isprintable()
    assert row.title.isprintable()


def test_overall_progress_counts_unknown_as_nothing_done() -> None:
    state = states.busy()
    known = 0.75 + 0.6 + 0.4 + 1 + 1.0 + 0.15 + 1
    assert overall_progress(state) == pytest.approx(known / 10)


def test_skipped_tasks_hide_nothing_of_what_is_left() -> None:
    state = states.busy()
    left = [task.id for task in state.tasks if task.phase not in TERMINAL]
    for name in left[1:]:
        state = changed(state, name, phase=Phase.SKIPPED)
    state = changed(state, left[0], phase=Phase.QUEUED, progress=None)
    ended = sum(task.phase in TERMINAL - {Phase.SKIPPED} for task in state.tasks)
    assert overall_progress(state) == pytest.approx(ended / (ended + 1))

    state = changed(state, left[0], phase=Phase.SKIPPED)
    assert overall_progress(state) == 1


def test_an_empty_run_has_no_progress() -> None:
    assert overall_progress(states.empty()) == 0


def test_slots_show_who_holds_them_also_above_a_shrunk_capacity() -> None:
    state = replace(states.busy(), capacity=2)
    assert [slot.task for slot in slot_views(state)] == [
        "models",
        "contracts",
        "threats",
        "ledger",
        "index",
    ]
    assert slot_view(states.calm(), SlotId(7)).status is None


def test_the_header_tells_the_run() -> None:
    view = header_view(states.busy(), NOW)
    assert (view.wave, view.waves, view.elapsed, view.ended, view.tasks) == (1, 2, "3:45", 2, 10)
    assert view.base == "main@9f2c1ab"
    assert dict(view.counts)[Status.RUNNING] == 3
    assert view.open_conflicts == 1


def test_the_estimate_of_the_end_is_empty_once_nothing_can_end() -> None:
    assert header_view(states.conflicted(), NOW).eta == ""
    assert header_view(states.finished(), NOW).eta == ""


def test_the_estimate_is_no_sooner_than_the_longest_chain() -> None:
    state = states.calm()
    assert header_view(state, NOW).eta == "4:22"  # a tenth of refunds' 3:41, then changelog's 4:00


def test_a_pause_of_the_run_does_not_count_as_elapsed() -> None:
    state = replace(states.busy(), stage=RunStage.PAUSED, paused_at=NOW - 25, paused_seconds=20.0)
    assert header_view(state, NOW).elapsed == "3:00"


def test_the_outcome_and_the_refused_landing_are_said() -> None:
    view = header_view(states.broken(), NOW)
    assert (view.status, view.stage, view.landing_status) == (
        Status.FAILED,
        "gate failed",
        Status.FAILED,
    )
    assert view.land.startswith("not landed: ")


def test_spans_never_overlap_and_stay_within_the_axis() -> None:
    for build in (states.crowded, states.broken, states.finished, states.fresh, states.empty):
        for width in (1, 7, 40, 200):
            for row in timeline_view(build(), NOW, width).rows:
                edges = [edge for span in row.spans for edge in (span.start, span.stop)]
                assert edges == sorted(edges)
                assert all(0 <= edge <= width for edge in edges)


@pytest.mark.parametrize(
    ("past", "marks"),
    [
        (60, ["0:00", "0:30"]),
        (240, ["0:00", "2:00"]),
        (7200, ["0:00", "1:00:00"]),
    ],
)
def test_a_timeline_is_marked_at_round_times(past: float, marks: list[str]) -> None:
    world = World(Plan((task("a"),), slots=1))
    view = timeline_view(replace(world.state, tasks=()), world.now + past, 21)
    assert [mark for _, mark in view.ticks] == marks


def kinds_of(task: str) -> list[SpanKind]:
    view = timeline_view(states.crowded(), NOW, 200)
    row = next(row for row in view.rows if row.id == task)
    return [span.kind for span in row.spans]


@pytest.mark.parametrize(
    ("task", "kinds"),
    [
        (
            "models",
            [SpanKind.WAITING, SpanKind.STARTING, SpanKind.RUNNING, SpanKind.EXPECTED],
        ),
        (
            "ledger",
            [SpanKind.WAITING, SpanKind.STARTING, SpanKind.RUNNING, SpanKind.PAUSED],
        ),
        ("docs", [SpanKind.WAITING, SpanKind.STARTING, SpanKind.DONE, SpanKind.LANDING]),
        ("refunds", [SpanKind.WAITING, SpanKind.STARTING, SpanKind.RUNNING, SpanKind.CONFLICT]),
        ("checkout", [SpanKind.WAITING, SpanKind.STARTING, SpanKind.FAILED, SpanKind.RETRYING]),
        ("i18n", [SpanKind.WAITING, SpanKind.STARTING, SpanKind.RUNNING, SpanKind.LANDING]),
        ("load", [SpanKind.WAITING_RESOURCE]),
        ("views", [SpanKind.WAITING_EXCLUDED]),
        ("changelog", []),
    ],
)
def test_a_timeline_draws_what_the_state_knows(task: str, kinds: list[SpanKind]) -> None:
    assert kinds_of(task) == kinds


@pytest.mark.parametrize("cause", WaitCause)
def test_a_timeline_draws_a_wait_of_every_cause(cause: WaitCause) -> None:
    world = World(Plan((task("a"), task("b")), slots=1))
    state, _ = step(world.state, TaskHeld(TaskId("b"), cause, ("a",), at=world.now))
    view = timeline_view(state, world.now + 60, 60)
    assert [span.kind for span in view.rows[1].spans] == [SpanKind(f"waiting-{cause}")]


def test_a_run_in_which_nothing_goes_on_by_itself_waits_for_a_person() -> None:
    world = World(Plan((task("a"), task("b", "a"), task("c"))))
    world.run("a")
    world.run("c")
    world.send(PauseRequested(TaskId("a"), "you"), AgentPaused(TaskId("a"), 1))
    assert header_view(world.state, world.now).stage == "running"

    world.finish("c")
    held = header_view(world.state, world.now)
    assert (held.stage, held.eta) == ("waits for you", "")

    world.send(ResumeRequested(TaskId("a"), "you"), AgentResumed(TaskId("a"), 1))
    assert header_view(world.state, world.now).stage == "running"


def test_nothing_goes_on_growing_after_the_end() -> None:
    run = World(Plan((task("a"), task("b", "a"))), shipped(slots=1))
    run.run("a")
    run.send(RunDrainRequested("signal"))
    run.now += 10
    run.finish("a")
    run.now += 2
    run.send(RunFinished(Outcome.INTERRUPTED, 130))
    views = [
        (
            header_view(run.state, now),
            task_rows(run.state, now),
            task_details(run.state, TaskId("b"), now),
        )
        for now in (run.now, run.now + 3600)
    ]

    assert views[0] == views[1]
    assert views[0][0].elapsed == "0:12"


def test_the_eta_is_corrected_by_what_the_runs_own_tasks_took() -> None:
    tasks = tuple(task(f"t{number}", writes=(), estimate_seconds=60.0) for number in range(9))
    run = World(Plan(tasks), shipped(slots=1))
    assert header_view(run.state, run.now).eta == "9:00"
    for number in range(4):  # half as long as expected
        run.run(f"t{number}")
        run.now += 30
        run.finish(f"t{number}")

    assert stretch(run.state) == pytest.approx(0.63, abs=0.01)
    assert header_view(run.state, run.now).eta == "3:08"  # 5 × 60 s × 0.63; 5:00 as planned


def test_the_eta_holds_the_gate_and_what_takes_turns() -> None:
    tasks = tuple(task(f"t{number}", writes=("x",), estimate_seconds=10.0) for number in range(6))
    plan = Plan(tasks, verify=(("pytest",),), pace=Pace(gate_seconds=8.0))

    assert header_view(World(plan, shipped(slots=6)).state, 100.0).eta == "1:08"
