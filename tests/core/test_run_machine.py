"""Random runs: whatever agents, git and people do, every state is valid and every run ends."""

import json

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pex_tui.core.consequences import is_over, is_stuck, next_deadline
from pex_tui.core.events.agent_events import (
    AgentLimited,
    AgentSpent,
    BudgetExtended,
    PermissionAsked,
    PermissionDecided,
)
from pex_tui.core.events.capture_events import CaptureFailed
from pex_tui.core.events.event_codec import decode, encode
from pex_tui.core.events.landing_events import (
    BranchMoved,
    BranchMoveRefused,
    GateFinished,
    LandingFailed,
    MergeConflicted,
    MergeDeferred,
)
from pex_tui.core.events.lock_events import LockAsked, LockReleased
from pex_tui.core.events.overlap_events import OverlapGone, OverlapSeen, WritesSeen
from pex_tui.core.events.run_events import (
    AbortRequested,
    AgentExited,
    AgentPaused,
    AgentResumed,
    AttemptReturned,
    BoostRequested,
    BoostToggled,
    ConflictDecided,
    Event,
    LandRequested,
    PauseRequested,
    ResumeRequested,
    RetryRequested,
    RunAbortRequested,
    RunAdopted,
    RunDrainRequested,
    RunLanded,
    RunPauseRequested,
    RunResumeRequested,
    SlotsRequested,
    TimePassed,
)
from pex_tui.core.figures.history import read_history
from pex_tui.core.figures.lower_bounds import slot_seconds
from pex_tui.core.figures.metrics import measure
from pex_tui.core.invariants import violations
from pex_tui.core.lifecycle.scheduler import dispatch
from pex_tui.core.liveness import waits_for_a_person
from pex_tui.core.model.conflict import ConflictPath, Decision
from pex_tui.core.model.ids import AgentName, ClaimId, LockName, TaskId
from pex_tui.core.model.phases import HOLDS_SLOT, IN_FLIGHT, LandingStage, Phase, RunStage
from pex_tui.core.model.plan import (
    Brief,
    GatePolicy,
    LockMode,
    LockRequest,
    Plan,
    Priority,
    Strategy,
    TaskSpec,
)
from pex_tui.core.model.run_rules import FallbackMode, OverlapPolicy
from pex_tui.core.model.state import LandStatus
from pex_tui.core.model.task_state import FailureKind, TaskState, Verdict
from pex_tui.core.outcome import ending
from pex_tui.core.step import replay, step
from tests.core.world import BASE, World, shipped

NAMES = tuple(TaskId(f"t{number}") for number in range(6))
LOCKS = (LockName("db"), LockName("cache"))
GLOBS = ("src/**", "src/a.py", "docs/*", "x")
AGENTS = ("release", "keeper", "other")
MODEL = Brief("claude", "claude")
RULES = {"never": (("release", "@writes"), ("keeper", "keeper"))}


@st.composite
def specs(draw: st.DrawFn, position: int) -> TaskSpec:
    needs = draw(st.sets(st.sampled_from(NAMES[:position]), max_size=2)) if position else set()
    writes = draw(st.none() | st.lists(st.sampled_from(GLOBS), max_size=2).map(tuple))
    modes = draw(st.none() | st.sampled_from(LockMode))
    agent = draw(st.none() | st.sampled_from(AGENTS))
    return TaskSpec(
        NAMES[position],
        ("true",),
        agent=None if agent is None else AgentName(agent),
        needs=tuple(sorted(needs)),
        writes=writes,
        locks=() if modes is None else (LockRequest(LockName("db"), modes),),
        priority=draw(st.sampled_from(Priority)),
        timeout_seconds=draw(st.none() | st.just(50.0)),
        retries=draw(st.integers(0, 2)),
        stage=draw(st.integers(1, 2)),
        brief=draw(st.sampled_from([None, None, MODEL])),
        enabled=draw(st.booleans() | st.just(value=True)),
    )


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    count = draw(st.integers(1, len(NAMES)))
    return Plan(
        tuple(draw(specs(position)) for position in range(count)),
        strategy=draw(st.sampled_from(Strategy)),
        verify=draw(st.sampled_from([(), (("check",),)])),
        gate=draw(st.sampled_from(GatePolicy)),
    )


class RunMachine(RuleBasedStateMachine):
    """Plays the outside world against the scheduler."""

    world: World

    @initialize(
        plan=plans(),
        slots=st.integers(1, 4),
        auto=st.booleans(),
        fallback=st.sampled_from(FallbackMode),
        fail_fast=st.booleans(),
        land=st.booleans(),
        radar=st.sampled_from(OverlapPolicy),
        batch=st.integers(1, 3),
        again=st.integers(0, 1),
        speculate=st.booleans(),
        leases=st.booleans(),
        budget=st.sampled_from([None, None, 100]),
    )
    def begin(
        self,
        plan: Plan,
        slots: int,
        auto: bool,
        fallback: FallbackMode,
        fail_fast: bool,
        land: bool,
        radar: OverlapPolicy,
        batch: int,
        again: int,
        speculate: bool,
        leases: bool,
        budget: int | None,
    ) -> None:
        rules = shipped(
            slots=slots,
            auto_resolve=auto,
            max_retries=1,
            fallback=fallback,
            fail_fast=fail_fast,
            land_at_end=land,
            radar=radar,
            gate_batch=batch,
            gate_retries=again,
            speculate=speculate,
            leases=leases,
            budget_tokens=budget,
            never=RULES["never"],
        )
        self.world = World(plan, rules)

    def some(self, *phases: Phase) -> list[TaskState]:
        return [task for task in self.world.state.tasks if task.phase in phases]

    def pick(self, data: st.DataObject, *phases: Phase) -> TaskState | None:
        tasks = self.some(*phases)
        return data.draw(st.sampled_from(tasks)) if tasks else None

    @rule(data=st.data())
    def an_agent_comes_to_life(self, data: st.DataObject) -> None:
        task = self.pick(data, Phase.STARTING)
        if task is not None:
            self.world.run(task.id)

    @rule(data=st.data(), failure=st.none() | st.sampled_from(FailureKind))
    def an_agent_ends(self, data: st.DataObject, failure: FailureKind | None) -> None:
        task = self.pick(data, *HOLDS_SLOT)
        if task is not None:
            code = 0 if failure is None else 1
            self.world.send(
                AgentExited(task.id, task.attempt, code, self.world.now, failure, "it ended")
            )

    @rule(data=st.data(), changed=st.booleans(), lacking=st.booleans())
    def work_is_captured(self, data: st.DataObject, changed: bool, lacking: bool) -> None:
        task = self.pick(data, Phase.CAPTURING)
        if task is not None:
            lacks = lacking and not changed
            self.world.capture(task.id, *(["src/a.py"] if changed else []), lacking=lacks)

    @rule(data=st.data(), passing=st.booleans())
    def git_refuses_a_step(self, data: st.DataObject, passing: bool) -> None:
        task = self.pick(data, Phase.CAPTURING, Phase.LANDING)
        if task is not None:
            kind = CaptureFailed if task.phase is Phase.CAPTURING else LandingFailed
            self.world.send(kind(task.id, task.attempt, "disk full", passing=passing))

    @rule(data=st.data())
    def the_records_of_an_attempt_are_gone(self, data: st.DataObject) -> None:
        task = self.pick(data, *HOLDS_SLOT)
        if task is not None:
            self.world.send(AttemptReturned(task.id, task.attempt, "nothing is known of it"))

    @rule(data=st.data(), tokens=st.sampled_from([10, 60]), refused=st.booleans())
    def a_provider_answers_or_refuses(
        self, data: st.DataObject, tokens: int, refused: bool
    ) -> None:
        task = self.pick(data, Phase.RUNNING)
        if task is not None and self.world.state.spec(task.id).brief is not None:
            spent = AgentSpent(task.id, task.attempt, tokens, None, task.spendings + 1)
            limited = AgentLimited(task.id, task.attempt, 20.0, "429")
            self.world.send(limited if refused else spent)

    @rule(answer=st.sampled_from(["clean", "conflict", "empty", "refused", "red"]))
    def git_answers(self, answer: str) -> None:
        for task in self.some(Phase.LANDING):
            self.answer(task, answer)

    def answer(self, task: TaskState, answer: str) -> None:
        tip = task.onto or self.world.state.tip or BASE
        candidate = task.candidate or BASE
        match task.landing_stage:
            case LandingStage.MERGING if answer == "conflict":
                files = (ConflictPath("src/a.py"),)
                if task.onto is not None:
                    self.world.send(MergeDeferred(task.id, task.attempt, task.onto))
                else:
                    self.world.send(MergeConflicted(task.id, task.attempt, tip, files, ()))
            case LandingStage.MERGING:
                self.world.merge(task.id)
            case LandingStage.MERGED | LandingStage.PASSED:
                pass
            case LandingStage.GATING | LandingStage.GATING_AGAIN:
                passed = answer != "red"
                self.world.now += 1.0
                self.world.send(GateFinished(task.id, task.attempt, candidate, passed, 1.0))
            case LandingStage.GATING_BASE:
                passed = answer != "red"
                self.world.now += 1.0
                self.world.send(GateFinished(task.id, task.attempt, BASE, passed, 1.0))
            case LandingStage.MOVING if answer == "refused":
                self.world.send(BranchMoveRefused(task.id, task.attempt, "moved"))
            case _:
                self.world.send(BranchMoved(task.id, task.attempt, candidate))

    @rule(data=st.data())
    def trees_freeze_and_thaw(self, data: st.DataObject) -> None:
        task = self.pick(data, Phase.RUNNING, Phase.PAUSED)
        if task is not None:
            news = AgentPaused if task.phase is Phase.RUNNING else AgentResumed
            self.world.send(news(task.id, task.attempt))

    @rule(
        data=st.data(),
        request=st.sampled_from(
            [PauseRequested, ResumeRequested, BoostRequested, AbortRequested, RetryRequested]
        ),
    )
    def somebody_asks_something_of_a_task(self, data: st.DataObject, request: type) -> None:
        task = data.draw(st.sampled_from(self.world.state.tasks))
        self.world.send(request(task.id, "you"))

    @rule(
        request=st.sampled_from(
            [
                *(RunPauseRequested, RunResumeRequested, BoostToggled, LandRequested),
                *(BudgetExtended, RunAbortRequested),
            ]
        )
    )
    def somebody_asks_something_of_the_run(self, request: type) -> None:
        self.world.send(request("you"))

    @rule(slots=st.integers(0, 40))
    def somebody_changes_the_pool(self, slots: int) -> None:
        self.world.send(SlotsRequested(slots, "you"))

    @rule(data=st.data(), decision=st.sampled_from([Decision.EDITED, Decision.RERUN]))
    def somebody_resolves_a_conflict(self, data: st.DataObject, decision: Decision) -> None:
        task = self.pick(data, Phase.CONFLICT)
        if task is not None:
            work = None if decision is Decision.RERUN else self.world.commit()
            self.world.send(ConflictDecided(task.id, decision, work, "you"))

    @rule(data=st.data(), names=st.sets(st.sampled_from(LOCKS), min_size=1))
    def a_process_wants_locks(self, data: st.DataObject, names: set[LockName]) -> None:
        task = self.pick(data, *HOLDS_SLOT)
        if task is None:
            return
        mine = [claim.claim for claim in self.world.state.claims if claim.task == task.id]
        within = tuple(data.draw(st.sets(st.sampled_from(mine)))) if mine else ()
        claim = data.draw(st.sampled_from([*mine, ClaimId(f"c{len(self.world.events)}")]))
        modes = data.draw(st.sampled_from(LockMode))
        locks = tuple(LockRequest(name, modes) for name in sorted(names))
        wait = data.draw(st.none() | st.just(5.0))
        self.world.send(LockAsked(task.id, task.attempt, claim, locks, within, wait))

    @rule(data=st.data())
    def a_process_gives_locks_back(self, data: st.DataObject) -> None:
        if self.world.state.claims:
            claim = data.draw(st.sampled_from(self.world.state.claims))
            self.world.send(LockReleased(claim.claim))

    @rule(data=st.data(), path=st.sampled_from(["src/a.py", "docs/x"]), announced=st.booleans())
    def an_agent_wants_to_write(self, data: st.DataObject, path: str, announced: bool) -> None:
        task = self.pick(data, Phase.RUNNING, Phase.PAUSED)
        if task is not None:
            known = [one.request for one in task.permissions]
            request = data.draw(st.sampled_from([*known, f"r{len(self.world.events)}"]))
            wish = ("Edit", f"change {path}", (path,), "")
            asked = PermissionAsked(
                task.id, task.attempt, request, *wish, edits=True, announced=announced
            )
            self.world.send(asked)

    @rule(data=st.data(), verdict=st.sampled_from(Verdict))
    def somebody_answers(self, data: st.DataObject, verdict: Verdict) -> None:
        asking = [task for task in self.world.state.tasks if task.asks]
        if asking:
            task = data.draw(st.sampled_from(asking))
            self.world.send(PermissionDecided(task.id, task.asks[0].request, verdict, "you"))

    @rule(data=st.data(), files=st.sets(st.sampled_from(["src/a.py", "docs/x", "new"])))
    def the_radar_sees_writes(self, data: st.DataObject, files: set[str]) -> None:
        task = self.pick(data, *HOLDS_SLOT)
        if task is not None:
            self.world.send(WritesSeen(task.id, task.attempt, tuple(sorted(files))))

    @rule(data=st.data(), gone=st.booleans())
    def the_radar_sees_two(self, data: st.DataObject, gone: bool) -> None:
        tasks = self.some(*IN_FLIGHT, Phase.LANDED)
        if len(tasks) > 1:
            two = st.lists(st.sampled_from(tasks), min_size=2, max_size=2, unique=True)
            first, second = data.draw(two)
            seen = OverlapSeen(first.id, second.id, (ConflictPath("src/a.py", lines="3"),))
            self.world.send(OverlapGone(first.id, second.id) if gone else seen)

    @rule(seconds=st.sampled_from([0.5, 3.0, 20.0]))
    def time_goes_by(self, seconds: float) -> None:
        self.world.now += seconds

    @rule(retry_failed=st.booleans(), kept=st.booleans())
    def another_engine_takes_over(self, retry_failed: bool, kept: bool) -> None:
        self.world.send(RunAdopted(1, "you", retry_failed, kept))

    @rule(kill=st.booleans())
    def the_run_is_interrupted(self, kill: bool) -> None:
        self.world.send(RunDrainRequested("signal", kill))

    @precondition(lambda self: next_deadline(self.world.state) is not None)
    @rule()
    def time_passes(self) -> None:
        deadline = next_deadline(self.world.state)
        assert deadline is not None
        self.world.now = max(self.world.now, deadline)
        self.world.send(TimePassed())

    @invariant()
    def every_state_is_sound(self) -> None:
        if hasattr(self, "world"):
            assert violations(self.world.state) == ()

    @invariant()
    def with_nothing_to_go_on_the_run_is_over_or_says_whom_it_waits_for(self) -> None:
        if not hasattr(self, "world"):
            return
        state = self.world.state
        assert dispatch(state) == ()
        if state.stage is not RunStage.FINISHED and is_stuck(state):
            paused_or_leaving = state.stage is not RunStage.RUNNING
            assert waits_for_a_person(state) or paused_or_leaving, state.tasks
        for _ in range(4):  # unattended
            for event in ending(state, self.world.now, attended=False):
                state, _ = step(state, event)
        assert state.stage is RunStage.FINISHED or not is_stuck(state), state.tasks

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        assert self.decoded() == self.world.events
        assert replay(self.world.events) == self.world.state
        self.world.send(RunAdopted(1, "you"))
        self.drive_to_the_end()
        assert is_over(self.world.state, attended=False)
        self.figures_are_sound()

    def figures_are_sound(self) -> None:
        """Assert that no figure is better than its bound, and the parts of the time add up."""
        history = read_history(self.world.events)
        found = measure(history)
        rounding = 1e-6
        assert found.lower_bound_seconds <= found.makespan_seconds + rounding
        assert found.work_seconds <= slot_seconds(history.slots) + rounding
        ceiling = found.efficiency_ceiling
        if found.parallel_efficiency is not None and ceiling is not None:
            assert found.parallel_efficiency <= ceiling + rounding <= 1 + 2 * rounding
        assert (found.thread_utilization or 0.0) <= 1
        own = sum(stretch.seconds for stretch in history.slots)
        assert own == pytest.approx(found.makespan_seconds)
        whole = history.ended_at - history.began_at
        parts = found.makespan_seconds + found.person_seconds + found.idle_seconds
        assert parts == pytest.approx(whole)

    def decoded(self) -> list[Event]:
        """Return the journal as another process would read it."""
        run = self.world.state.run
        return [
            decode(json.loads(json.dumps(encode(event, seq, run))))
            for seq, event in enumerate(self.world.events, start=1)
        ]

    def drive_to_the_end(self) -> None:
        """Let all agents and git succeed: then nothing may be left hanging."""
        self.world.send(RunResumeRequested("you"))
        for task in self.world.state.tasks:
            self.world.send(ResumeRequested(task.id, "you"))
        for _ in range(200):
            if is_over(self.world.state, attended=False):
                return
            self.nudge()

    def nudge(self) -> None:
        for task in self.world.state.tasks:
            current = self.world.state.task(task.id)
            if current.phase in HOLDS_SLOT:
                self.world.send(AgentExited(task.id, current.attempt, 0, self.world.now))
            elif current.phase is Phase.CAPTURING:
                self.world.capture(task.id)
            elif current.phase is Phase.LANDING:
                self.answer(current, "clean")
        if self.world.state.land_status is LandStatus.RUNNING:
            self.world.send(RunLanded("main", self.world.commit()))
        deadline = next_deadline(self.world.state)
        if deadline is not None:
            self.world.now = max(self.world.now, deadline)
            self.world.send(TimePassed())


TestRunMachine = RunMachine.TestCase
TestRunMachine.settings = settings(stateful_step_count=40)
