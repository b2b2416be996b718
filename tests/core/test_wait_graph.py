"""The wait graph: every edge, and the cycles that they can close."""

from msgspec.structs import replace

from pex_tui.core.events.actions import AnswerAgent, GrantLock, PauseAgent, ResumeAgent
from pex_tui.core.events.agent_events import PermissionAsked
from pex_tui.core.events.lock_events import LockAsked, LockReleased
from pex_tui.core.events.overlap_events import OverlapSeen
from pex_tui.core.events.run_events import AbortRequested, AgentPaused, AgentStarted, PauseRequested
from pex_tui.core.lifecycle.lock_graph import Node, WaitEdge, find_cycle, is_waiting_for, wait_graph
from pex_tui.core.model.conflict import ConflictPath, Decision
from pex_tui.core.model.ids import ClaimId, LockName, TaskId
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.plan import Brief, LockRequest, Plan, TaskSpec
from pex_tui.core.model.run_rules import OverlapPolicy
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import Verdict
from tests.core.world import World, shipped, task

A, B, C = TaskId("a"), TaskId("b"), TaskId("c")
DB, CACHE = (LockRequest(LockName("db")),), (LockRequest(LockName("cache")),)
C1, C2, C3 = ClaimId("c1"), ClaimId("c2"), ClaimId("c3")
SEEN = OverlapSeen(A, B, (ConflictPath("x.py", lines="3"),))


def agent(name: str, **fields: object) -> TaskSpec:
    return task(name, writes=None, brief=Brief("claude", "claude"), **fields)


def at_work(*specs: TaskSpec, **rules: object) -> World:
    world = World(Plan(specs), shipped(**rules))
    for spec in specs:
        entry = world.task(spec.id)
        assert entry.slot is not None
        world.run(spec.id)
        world.send(AgentStarted(entry.id, 1, entry.slot, 4000, world.now, listens=True))
    return world


def edit(name: TaskId, request: str, path: str) -> PermissionAsked:
    touched = (f"/ws/{name}/{path}",)
    return PermissionAsked(name, 1, request, "Edit", path, touched, edits=True, announced=True)


def commands(*names: str, **locks: object) -> tuple[TaskSpec, ...]:
    return tuple(task(name, writes=None, locks=locks.get(name, ())) for name in names)


def test_every_edge_among_tasks_at_work_is_in_the_graph() -> None:
    world = at_work(agent("a", locks=DB), agent("b"), agent("c"), leases=True)
    world.send(edit(A, "r1", "x.py"), edit(B, "r2", "x.py"))  # b waits for a's file
    world.send(LockAsked(C, 1, C1, CACHE), LockAsked(C, 1, C2, DB, within=(C1,)))
    world.send(LockAsked(B, 1, C3, CACHE))

    assert wait_graph(world.state) == {
        ("task", A): {},
        ("task", B): {("claim", C3): WaitEdge.CLAIM, ("task", A): WaitEdge.LEASE},
        ("task", C): {("claim", C2): WaitEdge.CLAIM},
        ("claim", C1): {("claim", C2): WaitEdge.CLAIM},
        ("claim", C2): {("task", A): WaitEdge.LOCK},
        ("claim", C3): {("claim", C1): WaitEdge.LOCK},
    }
    assert is_waiting_for(wait_graph(world.state), ("task", B), ("task", A))
    assert find_cycle(wait_graph(world.state)) == ()


def test_a_pause_for_another_task_is_an_edge_of_all_that_the_task_holds() -> None:
    world = at_work(*commands("a", "b"), radar=OverlapPolicy.PAUSE)
    world.now += 5
    world.send(LockAsked(B, 1, C1, DB), SEEN)
    paused = next(entry for entry in world.state.tasks if entry.yields_to is not None)
    world.send(AgentPaused(paused.id, 1))
    other = paused.yields_to
    assert other is not None

    assert wait_graph(world.state)["task", paused.id] == {("task", other): WaitEdge.OVERLAP}
    if paused.id == B:
        assert wait_graph(world.state)["claim", C1] == {("task", other): WaitEdge.OVERLAP}


def test_whoever_holds_a_lock_that_the_other_wants_is_not_paused_for_it() -> None:
    world = at_work(*commands("a", "b", a=DB), radar=OverlapPolicy.PAUSE)
    world.send(LockAsked(B, 1, C1, DB))

    assert PauseAgent(B, 1, gently=True) in world.send(SEEN)
    assert world.task("b").yields_to == A


def test_a_lock_that_is_claimed_of_one_who_is_paused_for_it_lets_that_one_go_on() -> None:
    world = at_work(*commands("a", "b", a=DB), radar=OverlapPolicy.PAUSE)
    world.send(PauseRequested(B, "you"), AgentPaused(B, 1))  # so that a is rolled back
    world.now += 5
    world.state = pausing(world, A, B)

    acted = world.send(LockAsked(B, 1, C1, DB))

    assert ResumeAgent(A, 1) in acted
    assert world.task("a").yields_to is None
    assert "a and b are deadlocked over a lock and a file" in world.state.notices[-1]


def pausing(world: World, who: TaskId, for_whom: TaskId) -> RunState:
    tasks = tuple(
        replace(entry, yields_to=for_whom, phase=Phase.PAUSED)
        if entry.id == who
        else replace(entry, held=False, phase=Phase.RUNNING)
        for entry in world.state.tasks
    )
    return replace(world.state, tasks=tasks)


def test_a_lease_and_a_lock_close_a_circle_that_the_edit_breaks() -> None:
    world = at_work(agent("a", locks=DB), agent("b"), leases=True)
    world.send(edit(B, "r1", "x.py"))
    assert world.send(edit(A, "r2", "x.py")) == ()  # a waits for b

    acted = world.send(LockAsked(B, 1, C1, DB))
    assert AnswerAgent(A, 1, "r2", Verdict.ALLOW_ONCE) in acted
    assert world.task("a").yields_to is None
    (told,) = world.state.conflicts
    assert [step.decision for step in told.steps] == [Decision.PAUSED, Decision.WARNED]


def test_nobody_waits_for_the_file_of_one_who_waits_for_their_lock() -> None:
    world = at_work(agent("a", locks=DB), agent("b"), leases=True)
    world.send(edit(B, "r1", "x.py"), LockAsked(B, 1, C1, DB))

    assert world.send(edit(A, "r2", "x.py")) == (AnswerAgent(A, 1, "r2", Verdict.ALLOW_ONCE),)


def test_a_claim_goes_before_a_more_urgent_one_that_waits_for_it_by_a_lease() -> None:
    world = at_work(agent("a", locks=DB), agent("b"), agent("c"), leases=True)
    world.send(edit(C, "r1", "x.py"), edit(A, "r2", "x.py"))  # a waits for c
    both = (*DB, *CACHE)
    world.send(LockAsked(B, 1, C1, both))  # b waits for a's lock, and is next for the cache

    assert GrantLock(C2) in world.send(LockAsked(C, 1, C2, CACHE))


def test_who_waits_for_two_files_waits_on_for_one_when_the_other_is_free() -> None:
    world = at_work(agent("a"), agent("b"), agent("c"), leases=True)
    world.send(edit(B, "r1", "y.py"), edit(C, "r2", "z.py"))
    world.send(edit(A, "r3", "y.py"), edit(A, "r4", "z.py"))
    world.exit("b", 1)
    acted = world.send()
    world.capture("b")

    answers = [one for one in world.actions if isinstance(one, AnswerAgent) and one.task == A]
    assert [one.request for one in answers] == ["r3"]
    assert (acted, world.task("a").yields_to) == ((), C)
    world.send(LockReleased(C1))  # of no task
    world.exit("c")
    world.capture("c")
    answers = [one for one in world.actions if isinstance(one, AnswerAgent) and one.task == A]
    assert [one.request for one in answers] == ["r3", "r4"]
    assert world.task("a").yields_to is None


def test_claims_that_wait_in_a_circle_while_their_task_is_stopped_end_with_it() -> None:
    world = at_work(agent("a"))
    world.send(LockAsked(A, 1, C1, DB), LockAsked(A, 1, C2, CACHE), AbortRequested(A, "you"))
    inner, other = ClaimId("inner"), ClaimId("other")

    world.send(LockAsked(A, 1, inner, CACHE, within=(C1,)))
    world.send(LockAsked(A, 1, other, DB, within=(C2,)))

    assert find_cycle(wait_graph(world.state))
    assert world.state.conflicts == ()  # no task is rolled back for it
    world.exit("a", code=-15)
    assert world.state.claims == ()


def test_each_node_is_searched_once_however_many_ways_lead_to_it() -> None:
    nodes: list[Node] = [("task", TaskId(f"t{number}")) for number in range(200)]
    graph = {
        node: dict.fromkeys(nodes[place + 1 : place + 3], WaitEdge.LOCK)
        for place, node in enumerate(nodes)
    }

    assert find_cycle(graph) == ()
    assert find_cycle(dict(reversed(graph.items()))) == ()


def test_the_way_through_a_circle_ends() -> None:
    first: Node = ("task", A)
    second: Node = ("task", B)
    other: Node = ("task", C)
    closed = {first: {second: WaitEdge.LOCK}, second: {first: WaitEdge.LOCK}}

    assert find_cycle(closed)
    assert is_waiting_for(closed, first, second)
    assert not is_waiting_for(closed, first, other)
