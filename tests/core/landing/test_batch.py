"""Entries of the merge queue are tested together, and separated if the gate fails."""

from itertools import count

from pex_tui.core.events.actions import Action, MergeWork, MoveBranch, RunGate
from pex_tui.core.events.landing_events import (
    BranchMoved,
    BranchMoveRefused,
    GateFinished,
    MergeDeferred,
    WorkMerged,
)
from pex_tui.core.events.run_events import AbortRequested, RunAdopted
from pex_tui.core.model.ids import CommitId, TaskId
from pex_tui.core.model.phases import LandingStage, Phase
from pex_tui.core.model.plan import GatePolicy, Plan
from pex_tui.core.model.run_rules import RunRules
from pex_tui.core.views.status_text import StartQueue, activity
from tests.core.world import BASE, SHIPPED, World, shipped, task

GATE = (("pytest", "-q"),)
RED = "pytest -q"


class Queue:
    """A run whose tasks are all captured, and a git that answers by rules.

    `broken` are tasks that fail the gate of every candidate with them; `whims` is the number of
    spurious failures.
    """

    def __init__(
        self,
        names: str,
        *broken: str,
        rules: RunRules | None = None,
        policy: GatePolicy = GatePolicy.STRICT,
    ) -> None:
        specs = tuple(task(name) for name in names)
        chosen = rules or shipped(slots=8, gate_retries=0)
        self.world = World(Plan(specs, verify=GATE, gate=policy), chosen)
        self.broken = set(broken)
        self.conflicting: set[str] = set()
        self.base_is_red = False
        self.whims = 0
        self.gates: list[str] = []  # the tasks in each tested commit
        self.holds: dict[CommitId, str] = {BASE: ""}
        self.numbers = count(1)
        for name in names:
            self.world.exit(name)
        for name in names:
            self.world.capture(name, f"{name}.py")

    def play(self, *, most: int = 200) -> None:
        """Answer all requests in order, until there are none."""
        done = 0
        while done < len(self.world.actions):
            assert done < most
            self.answer(self.world.actions[done])
            done += 1

    def answer(self, action: Action) -> None:
        match action:
            case MergeWork():
                self.merged(action)
            case RunGate():
                self.tested(action)
            case MoveBranch():
                self.world.send(BranchMoved(action.task, action.attempt, action.new))
            case _:
                pass

    def merged(self, action: MergeWork) -> None:
        tip = action.onto or self.world.state.tip or BASE
        candidate = CommitId(f"c{next(self.numbers)}")
        self.holds[candidate] = self.holds[tip] + action.task
        self.world.send(WorkMerged(action.task, action.attempt, tip, candidate, onto=action.onto))

    def tested(self, action: RunGate) -> None:
        held = self.holds[action.commit]
        self.gates.append(held)
        is_red = bool(self.broken & set(held)) or (self.base_is_red and not held)
        if not is_red and self.whims:
            self.whims -= 1
            is_red = True
        verdict = (not is_red, 1.0, RED, "1 failed")
        self.world.send(GateFinished(action.task, action.attempt, action.commit, *verdict))

    def landed(self) -> str:
        return "".join(entry.id for entry in self.world.state.tasks if entry.phase is Phase.LANDED)


def test_what_is_ready_together_is_tested_together_and_lands_one_by_one() -> None:
    queue = Queue("abcde")
    assert queue.world.phase("e") is Phase.QUEUED  # merged one after the other
    queue.play()
    assert queue.gates == ["abcde"]
    assert queue.landed() == "abcde"
    moves = [one for one in queue.world.actions if isinstance(one, MoveBranch)]
    assert [one.task for one in moves] == list("abcde")
    assert [queue.holds[one.new] for one in moves] == ["a", "ab", "abc", "abcd", "abcde"]


def test_whoever_is_tested_with_others_says_with_whom() -> None:
    queue = Queue("ab")
    while not any(isinstance(action, RunGate) for action in queue.world.actions):
        queue.answer(queue.world.actions[-1])
    state = queue.world.state
    assert [activity(state, one, state.now, StartQueue()) for one in state.tasks] == [
        "Gate is running, together with b",
        "Gate is running",
    ]


def test_no_more_than_the_batch_are_tested_at_once() -> None:
    queue = Queue("abcdefg")
    queue.play()
    assert queue.gates == ["abcde", "abcdefg"]


def test_the_one_that_breaks_it_is_found_by_halves_and_the_others_land() -> None:
    queue = Queue("abcde", "d")
    queue.play()
    assert queue.landed() == "abce"
    assert queue.world.phase("d") is Phase.STARTING  # once more, on the latest commit
    assert queue.gates == ["abcde", "ab", "abc", "abcd", "", "abce"]


def test_two_that_break_it_are_both_found() -> None:
    queue = Queue("abcde", "a", "e")
    queue.play()
    assert queue.landed() == "bcd"
    assert all(queue.world.phase(name) is not Phase.LANDED for name in "ae")


def test_each_that_breaks_it_alone_is_a_batch_of_its_own_in_the_end() -> None:
    queue = Queue("abc", "a", "b", "c")
    queue.play()
    assert queue.landed() == ""
    assert queue.gates[:2] == ["abc", "a"]


def test_a_gate_that_is_red_once_only_is_called_flaky() -> None:
    queue = Queue("a", rules=SHIPPED)
    queue.whims = 1
    queue.play()
    assert queue.landed() == "a"
    assert queue.gates == ["a", "a"]
    assert queue.world.state.flaky == ("a",)
    (notice,) = queue.world.state.notices
    assert notice == (
        "The gate is flaky: gate failed: pytest -q, and passed when it was run again on the same "
        "files. a lands; fix the check."
    )


def test_a_gate_that_stays_red_is_asked_once_more_and_then_of_the_base() -> None:
    queue = Queue("a", "a", rules=SHIPPED)
    queue.play()
    assert queue.gates == ["a", "a", ""]
    assert queue.world.phase("a") is Phase.FAILED


def test_a_red_base_lets_all_of_the_batch_land_where_the_policy_says_so() -> None:
    queue = Queue("ab", "a", policy=GatePolicy.OFF)
    queue.base_is_red = True
    queue.play()
    assert queue.landed() == "ab"
    assert queue.gates == ["ab", "a", ""]


def test_what_does_not_merge_onto_the_batch_waits_until_that_has_landed() -> None:
    queue = Queue("abc")
    world = queue.world
    queue.answer(MergeWork(TaskId("a"), 1, CommitId("w")))
    onto = world.task("b").onto
    assert onto == world.task("a").candidate
    world.send(MergeDeferred(TaskId("b"), 1, onto or BASE))
    assert world.phase("b") is Phase.QUEUED
    assert world.state.conflicts == ()
    assert world.task("a").landing_stage is LandingStage.GATING
    assert activity(world.state, world.task("a"), world.now, StartQueue()) == "Gate is running"
    queue.tested(RunGate(TaskId("a"), 1, world.task("a").candidate or BASE))
    world.send(BranchMoved(TaskId("a"), 1, world.task("a").candidate or BASE))
    assert world.task("b").onto in {None, world.state.tip}
    assert world.task("b").landing_stage is LandingStage.MERGING


def test_the_next_is_tested_meanwhile_where_a_slot_is_free() -> None:
    rules = shipped(slots=4, gate_batch=1)
    queue = Queue("abc", rules=rules)
    world = queue.world
    queue.answer(world.actions[-1])  # a is merged, and under test
    queue.answer(world.actions[-1])  # b is merged onto it
    running = [one.task for one in world.actions if isinstance(one, RunGate)]
    assert running == ["a", "b"]
    assert world.phase("c") is Phase.QUEUED  # one at a time, and one ahead
    queue.tested(RunGate(TaskId("b"), 1, world.task("b").candidate or BASE))
    # A commit that contains it has passed.
    assert world.task("a").landing_stage is LandingStage.MOVING
    assert world.task("b").landing_stage is LandingStage.PASSED


def test_nothing_is_tested_ahead_while_agents_need_the_slots() -> None:
    rules = shipped(slots=2, gate_batch=1)
    world = World(Plan(tuple(task(name) for name in "abcd"), verify=GATE), rules)
    for name in "ab":
        world.exit(name)
        world.capture(name, f"{name}.py")
    assert world.running() == {"c", "d"}
    world.merge("a")
    assert world.task("a").landing_stage is LandingStage.GATING
    assert world.phase("b") is Phase.QUEUED


def test_a_red_first_one_sends_back_what_was_tested_ahead() -> None:
    rules = shipped(slots=4, gate_batch=1, gate_retries=0)
    queue = Queue("ab", "a", rules=rules)
    world = queue.world
    (merge_a,) = (one for one in world.actions if isinstance(one, MergeWork))
    queue.answer(merge_a)
    *_, test_a, merge_b = world.actions
    queue.answer(merge_b)
    ahead = world.actions[-1]
    assert isinstance(ahead, RunGate)
    assert queue.holds[ahead.commit] == "ab"
    queue.answer(test_a)
    assert world.phase("b") is Phase.QUEUED
    queue.answer(ahead)  # too late: b will be merged onto another tip now
    assert world.phase("b") is Phase.QUEUED
    queue.answer(world.actions[-1])  # the base passes
    queue.answer(world.actions[-1])
    assert queue.holds[world.task("b").candidate or BASE] == "b"


def test_an_aborted_entry_takes_those_behind_it_back_and_not_those_before() -> None:
    queue = Queue("abc")
    world = queue.world
    for _ in "abc":
        queue.answer(world.actions[-1])
    world.send(AbortRequested(TaskId("b"), "you"))
    assert world.phase("b") is Phase.ABORTED
    assert world.task("a").landing_stage is not None
    done = len(world.actions)
    for action in list(world.actions[done - 2 :]):
        queue.answer(action)
    queue.play()
    assert queue.landed() == "ac"


def test_a_branch_that_somebody_moved_starts_the_batch_over() -> None:
    queue = Queue("ab")
    world = queue.world
    for _ in range(3):
        queue.answer(world.actions[-1])
    moving = world.actions[-1]
    assert isinstance(moving, MoveBranch)
    world.send(BranchMoveRefused(moving.task, 1, "moved"))
    assert (world.task("a").landing_stage, world.phase("b")) == (
        LandingStage.MERGING,
        Phase.QUEUED,
    )
    assert world.task("a").onto is None


def test_another_engine_goes_on_with_the_batch_as_it_was() -> None:
    queue = Queue("abc")
    world = queue.world
    for _ in range(2):
        queue.answer(world.actions[-1])
    before = world.actions[-1]
    assert before in world.send(RunAdopted(2, "you"))
    queue.answer(before)
    adopted = world.send(RunAdopted(3, "you"))
    gates = [one for one in adopted if isinstance(one, RunGate)]
    assert [queue.holds[one.commit] for one in gates] == ["abc"]
    assert not [one for one in adopted if isinstance(one, MergeWork)]
