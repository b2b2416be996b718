"""Locks that agents take while they work."""

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pex_tui.core.consequences import next_deadline
from pex_tui.core.coordination.locks import RETURN_SECONDS
from pex_tui.core.events.actions import Action, GrantLock, RefuseLock, StopAgent
from pex_tui.core.events.capture_events import WorkCaptured
from pex_tui.core.events.lock_events import LockAsked, LockReleased
from pex_tui.core.events.run_events import (
    AgentExited,
    AgentPaused,
    BoostRequested,
    RunAdopted,
    TimePassed,
)
from pex_tui.core.model.conflict import ConflictKind, Decision
from pex_tui.core.model.ids import ClaimId, LockName, TaskId
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.plan import LockMode, LockRequest, Plan, Priority, TaskSpec
from pex_tui.core.model.task_state import FailureKind
from pex_tui.core.views.status_text import StartQueue, activity
from tests.core.world import World, shipped, task

DB, CACHE = "db", "cache"


def exclusive(*names: str) -> tuple[LockRequest, ...]:
    return tuple(LockRequest(LockName(name)) for name in names)


def shared(name: str) -> tuple[LockRequest, ...]:
    return (LockRequest(LockName(name), LockMode.SHARED),)


def working(*specs: TaskSpec, slots: int = 5) -> World:
    world = World(Plan(specs or tuple(task(name) for name in "abc")), shipped(slots=slots))
    for spec in specs or world.state.plan.tasks:
        if world.phase(spec.id) is Phase.STARTING:
            world.run(spec.id)
    return world


def ask(
    world: World, name: str, claim: str, locks: tuple[LockRequest, ...], *within: str
) -> list[Action]:
    attempt = world.task(name).attempt
    outer = tuple(ClaimId(one) for one in within)
    asked = LockAsked(TaskId(name), attempt, ClaimId(claim), locks, outer)
    return told(world.send(asked))


def release(world: World, claim: str) -> list[Action]:
    return told(world.send(LockReleased(ClaimId(claim))))


def told(actions: tuple[Action, ...]) -> list[Action]:
    return [one for one in actions if isinstance(one, GrantLock | RefuseLock | StopAgent)]


def grants(*claims: str) -> list[Action]:
    return [GrantLock(ClaimId(claim)) for claim in claims]


def test_a_lock_is_held_by_one_and_then_by_the_next() -> None:
    world = working()
    assert ask(world, "a", "1", exclusive(DB)) == grants("1")
    assert ask(world, "b", "2", exclusive(DB)) == []
    assert ask(world, "c", "3", exclusive(DB)) == []
    world.now += 12
    doing = activity(world.state, world.task("b"), world.now, StartQueue())
    assert doing == "Waits 0:12 for lock db (held by a)"
    assert release(world, "1") == grants("2")
    assert release(world, "2") == grants("3")


def test_sharers_hold_it_together_and_do_not_overtake_who_came_before() -> None:
    world = working()
    assert ask(world, "a", "1", shared(DB)) == grants("1")
    assert ask(world, "b", "2", shared(DB)) == grants("2")
    assert ask(world, "c", "3", exclusive(DB)) == []
    assert ask(world, "a", "4", shared(DB)) == []
    assert release(world, "1") == []
    assert release(world, "2") == grants("3")
    assert release(world, "3") == grants("4")


def test_several_locks_are_had_at_once_or_not_at_all() -> None:
    world = working()
    ask(world, "a", "1", exclusive(CACHE))
    assert ask(world, "b", "2", exclusive(DB, CACHE)) == []
    assert ask(world, "c", "3", exclusive(DB)) == []  # the earlier claim has precedence
    assert release(world, "1") == grants("2")


def test_a_command_within_a_lock_may_take_it_again() -> None:
    world = working()
    ask(world, "a", "1", exclusive(DB))
    assert ask(world, "a", "2", exclusive(DB), "1") == grants("2")
    assert ask(world, "a", "3", exclusive(DB)) == []  # another process of the same task


def test_a_lock_of_the_plan_is_its_tasks_own_and_keeps_others_out() -> None:
    world = working(task("a", locks=exclusive(DB)), task("b"))
    assert ask(world, "b", "1", exclusive(DB)) == []
    assert ask(world, "a", "2", exclusive(DB)) == grants("2")
    release(world, "2")
    assert told(world.send(AgentExited(TaskId("a"), 1, 0, world.now))) == grants("1")


def test_a_task_of_the_plan_waits_for_the_lock_and_for_those_who_came_before() -> None:
    world = working(task("a"), task("b"), task("z", writes=()), task("c", "z", locks=exclusive(DB)))
    ask(world, "a", "1", exclusive(DB))
    world.finish("z")
    assert world.phase("c") is Phase.READY
    assert "held by a" in activity(world.state, world.task("c"), world.now, StartQueue())
    world.now += 1
    ask(world, "b", "2", exclusive(DB))
    assert release(world, "1") == grants("2")
    assert world.phase("c") is Phase.READY
    release(world, "2")
    assert world.phase("c") is Phase.STARTING


def test_the_urgent_go_first_and_who_waited_too_long_before_them() -> None:
    world = working(task("a"), task("b"), task("c", priority=Priority.HIGH))
    ask(world, "a", "1", exclusive(DB))
    ask(world, "b", "2", exclusive(DB))
    ask(world, "c", "3", exclusive(DB))
    assert release(world, "1") == grants("3")
    world.now = next_deadline(world.state) or 0
    world.send(TimePassed())
    assert world.state.notices[-1] == "b has waited 60 s for db, which c holds."
    ask(world, "c", "4", exclusive(DB))
    assert release(world, "3") == grants("2")


def test_of_those_who_waited_too_long_the_first_to_come_goes_first() -> None:
    world = working(task("a"), task("b", priority=Priority.LOW), task("c", priority=Priority.HIGH))
    ask(world, "a", "1", exclusive(DB))
    ask(world, "b", "2", exclusive(DB))
    world.now += 10
    ask(world, "c", "3", exclusive(DB))
    world.now += 60
    world.send(TimePassed())

    assert release(world, "1") == grants("2")


def test_whoever_waited_too_long_goes_before_a_boosted_task() -> None:
    world = working()
    ask(world, "a", "1", exclusive(DB))
    ask(world, "b", "2", exclusive(DB))
    world.now += 60
    world.send(TimePassed(), BoostRequested(TaskId("c"), "you"))
    ask(world, "c", "3", exclusive(DB))

    assert release(world, "1") == grants("2")


def owed() -> World:
    """Return a run: `b` waits for two locks, one of them free.

    `c` is to start, and needs that one.
    """
    world = working(task("a"), task("b"), task("z", writes=()), task("c", "z", locks=exclusive(DB)))
    ask(world, "a", "1", exclusive(CACHE))
    ask(world, "b", "2", exclusive(DB, CACHE))
    world.now += 1
    world.finish("z")
    return world


def test_a_free_lock_that_a_task_at_work_is_owed_starts_nobody() -> None:
    world = owed()
    wait = world.task("c").wait

    assert world.phase("c") is Phase.READY
    assert wait is not None
    assert wait.on == (DB, "b")
    assert release(world, "1") == grants("2")
    release(world, "2")
    assert world.phase("c") is Phase.STARTING


def test_a_paused_task_is_owed_no_lock() -> None:
    world = owed()
    world.send(AgentPaused(TaskId("b"), 1))

    assert world.phase("c") is Phase.STARTING


def test_a_task_that_waited_too_long_for_a_lock_comes_before_claims_that_came_later() -> None:
    holder = task("h", locks=exclusive(DB))
    world = working(task("a"), task("b"), holder, task("c", locks=exclusive(DB)))
    ask(world, "a", "1", exclusive(CACHE))
    world.now += 60
    world.send(TimePassed())
    ask(world, "b", "2", exclusive(DB, CACHE))
    world.finish("h")

    assert world.phase("c") is Phase.STARTING


def test_whoever_does_not_want_to_wait_any_longer_is_refused() -> None:
    world = working()
    ask(world, "a", "1", exclusive(DB))
    asked = LockAsked(TaskId("b"), 1, ClaimId("2"), exclusive(DB), wait_seconds=4.99999)
    world.send(asked)
    world.now = next_deadline(world.state) or 0
    assert told(world.send(TimePassed())) == [
        RefuseLock(ClaimId("2"), "db was not free within 5 s: a had it")
    ]
    assert release(world, "1") == []


def test_whoever_has_got_a_lock_keeps_it_past_the_time_it_would_have_waited() -> None:
    world = working()
    world.send(LockAsked(TaskId("a"), 1, ClaimId("1"), exclusive(DB), wait_seconds=5.0))
    assert next_deadline(world.state) is None
    world.now += 10

    assert told(world.send(TimePassed())) == []
    assert ask(world, "b", "2", exclusive(DB)) == []
    assert release(world, "1") == grants("2")


def test_what_a_task_holds_or_wants_ends_with_its_attempt() -> None:
    world = working()
    ask(world, "a", "1", exclusive(DB))
    ask(world, "b", "2", exclusive(DB))
    ask(world, "a", "3", exclusive(CACHE), "1")
    world.exit("a")
    assert world.state.claims[0].granted_at is not None
    assert [claim.claim for claim in world.state.claims] == ["2"]
    late = LockAsked(TaskId("a"), 1, ClaimId("4"), exclusive(CACHE))
    assert told(world.send(late)) == [RefuseLock(ClaimId("4"), "attempt 1 of a is over")]


def test_a_frozen_task_is_given_nothing_until_it_goes_on() -> None:
    world = working()
    ask(world, "a", "1", exclusive(DB))
    ask(world, "b", "2", exclusive(DB))
    world.send(AgentPaused(TaskId("b"), 1))
    # Frozen from outside the engine, which will thaw it; until then others come first.
    ask(world, "c", "3", exclusive(DB))
    assert release(world, "1") == grants("3")


def test_opposite_orders_are_found_at_once_and_the_one_with_less_to_lose_starts_again() -> None:
    world = World(Plan((task("a"), task("b"))))
    world.run("a")
    world.now += 30
    world.run("b")
    ask(world, "a", "1", exclusive(DB))
    ask(world, "b", "2", exclusive(CACHE))
    ask(world, "a", "3", exclusive(CACHE), "1")
    acted = ask(world, "b", "4", exclusive(DB), "2")
    assert [type(one) for one in acted] == [StopAgent, RefuseLock]
    assert world.phase("b") is Phase.STOPPING
    (conflict,) = world.state.conflicts
    assert (conflict.kind, conflict.tasks, conflict.decision) == (
        ConflictKind.RESOURCE,
        ("b", "a"),
        Decision.RERUN,
    )
    assert "a waits for cache; b waits for db" in conflict.detail

    freed = world.send(AgentExited(TaskId("b"), 1, None, world.now, FailureKind.SIGNAL))
    assert told(freed) == grants("3")
    world.send(WorkCaptured(TaskId("b"), 1, None))
    assert (world.phase("b"), world.task("b").attempt) == (Phase.STARTING, 2)
    assert world.task("b").failures == 0

    world.run("b")
    world.now += 900
    release(world, "3")
    release(world, "1")
    ask(world, "b", "5", exclusive(CACHE))
    ask(world, "a", "6", exclusive(DB))
    ask(world, "b", "7", exclusive(DB), "5")
    ask(world, "a", "8", exclusive(CACHE), "6")
    assert world.phase("a") is Phase.STOPPING  # no agent always yields while others never do


def test_being_owed_a_lock_never_makes_a_deadlock() -> None:
    world = working()
    ask(world, "a", "1", exclusive(DB))
    ask(world, "b", "2", exclusive(DB, CACHE))  # waits for a, and has precedence for the cache
    assert ask(world, "a", "3", exclusive(CACHE), "1") == grants("3")
    assert world.state.conflicts == ()


def test_who_holds_a_lock_comes_back_after_the_engines_end_or_loses_it() -> None:
    world = working()
    ask(world, "a", "1", exclusive(DB))
    ask(world, "b", "2", exclusive(CACHE))
    ask(world, "c", "3", exclusive(DB))
    world.send(RunAdopted(2, "you"))
    assert ask(world, "a", "1", exclusive(DB)) == grants("1")
    assert ask(world, "c", "3", exclusive(DB)) == []
    world.now += RETURN_SECONDS
    world.send(TimePassed())
    assert [claim.claim for claim in world.state.claims] == ["1", "3"]
    assert ask(world, "b", "2", exclusive(CACHE)) == grants("2")  # late, and still free


@dataclass
class Agent:
    """Takes a few locks, nested, in an order of its own, again and again."""

    name: str
    draw: random.Random
    todo: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    waits: bool = False
    rounds: int = 0


class Team:
    """Agents that move one at a time, until each has finished its rounds."""

    def __init__(self, seed: int, *, agents: int, locks: int, rounds: int) -> None:
        self.draw = random.Random(seed)  # noqa: S311  # no secret
        names = [f"t{number}" for number in range(agents)]
        self.world = working(*(task(name) for name in names), slots=agents)
        self.agents = {
            name: Agent(name, random.Random(self.draw.random()))  # noqa: S311  # no secret
            for name in names
        }
        self.locks = [f"l{number}" for number in range(locks)]
        self.rounds = rounds
        self.claims: dict[str, Agent] = {}
        self.granted = 0

    def play(self) -> None:
        while unfinished := [one for one in self.agents.values() if one.rounds < self.rounds]:
            movable = [agent for agent in unfinished if not agent.waits]
            assert movable, "nobody can move any more"
            self.world.now += 0.01
            self.hear(self.move(self.draw.choice(movable)))

    def move(self, agent: Agent) -> list[Action]:
        if not agent.todo and not agent.held:
            agent.todo = agent.draw.sample(self.locks, 3)
        if not agent.todo:
            acted = release(self.world, agent.held.pop())
            agent.rounds += not agent.held
            return acted
        claim = f"c{len(self.claims)}"
        self.claims[claim] = agent
        agent.waits = True
        return ask(self.world, agent.name, claim, exclusive(agent.todo[0]), *agent.held)

    def hear(self, actions: list[Action]) -> None:
        for action in actions:
            if isinstance(action, GrantLock):
                agent = self.claims[action.claim]
                agent.held.append(action.claim)
                agent.todo.pop(0)
                agent.waits = False
                self.granted += 1
            elif isinstance(action, StopAgent):
                self.start_over(self.agents[action.task])

    def start_over(self, agent: Agent) -> None:
        """Start over after a rollback, holding nothing."""
        agent.held, agent.todo, agent.waits = [], [], False
        name, attempt = TaskId(agent.name), self.world.task(agent.name).attempt
        freed = self.world.send(
            AgentExited(name, attempt, None, self.world.now, FailureKind.SIGNAL),
            WorkCaptured(name, attempt, None),
        )
        self.world.run(name)
        self.hear(told(freed))


def test_ten_agents_and_ten_locks_in_any_order_all_come_to_their_end() -> None:
    team = Team(11, agents=10, locks=10, rounds=20)
    team.play()
    state = team.world.state
    assert team.granted >= 600
    assert state.claims == ()
    deadlocks = [one for one in state.conflicts if "deadlock" in one.detail]
    assert deadlocks
    most = max(entry.rollbacks for entry in state.tasks)
    assert most <= 3 + 2 * len(deadlocks) / len(state.tasks)  # no agent starves


@given(seed=st.integers(0, 10_000), agents=st.integers(2, 5), locks=st.integers(3, 5))
def test_no_deadlock_outlives_the_step_that_closes_it(seed: int, agents: int, locks: int) -> None:
    Team(seed, agents=agents, locks=locks, rounds=3).play()


@pytest.mark.parametrize("again", [True, False])
def test_news_of_unknown_claims_changes_nothing(again: bool) -> None:
    world = working()
    if again:
        ask(world, "a", "1", exclusive(DB))
        release(world, "1")
    assert release(world, "1") == []
    assert world.state.claims == ()
