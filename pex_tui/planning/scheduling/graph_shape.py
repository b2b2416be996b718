"""Properties of a plan's graph by networkx: cycles, waves, critical path and width.

networkx takes a fifth of a second to import, so import this module only where it is needed.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise

import networkx as nx
from msgspec import Struct

from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.plan import Plan
from pex_tui.core.model.plan_graph import PlanGraph

Edge = tuple[str, str]

_LARGEST_EXACT_WIDTH = 400


class Cycle(Struct, frozen=True):
    """Tasks of a cycle in the order of their needs; `weakest` is the edge to drop."""

    tasks: tuple[str, ...]
    weakest: Edge


class PlanShape(Struct, frozen=True):
    """The shape of a plan's graph. `critical_seconds` is the critical path's length, T∞.

    `waves` groups tasks by the longest chain before them. `width` is the largest set of tasks that
    no chain of needs orders (Dilworth); more slots than that are useless. In plans of more than 400
    tasks it is the widest wave, a lower bound.
    """

    waves: tuple[tuple[TaskId, ...], ...]
    critical_path: tuple[TaskId, ...]
    critical_seconds: float
    width: int


def cycles(edges: list[Edge], urgency: Mapping[str, int]) -> Iterator[Cycle]:
    """Yield cycles, each without its predecessors' weakest edges, until none is left.

    `edges` are (task, need) in file order. The weakest edge belongs to the least urgent task; among
    equals it is the latest in the file.
    """
    order = {edge: place for place, edge in enumerate(edges)}
    graph: nx.DiGraph[str] = nx.DiGraph(edges)
    while True:
        try:
            found = [(edge[0], edge[1]) for edge in nx.find_cycle(graph)]
        except nx.NetworkXNoCycle:
            return
        weakest = min(found, key=lambda edge: (urgency[edge[0]], -order[edge]))
        start = min(range(len(found)), key=lambda place: order[found[place]])
        tasks = tuple(task for task, _ in found[start:] + found[:start])
        yield Cycle(tasks, weakest)
        graph.remove_edge(*weakest)


def plan_shape(plan: Plan, graph: PlanGraph) -> PlanShape:
    """Return waves, critical path and width of an acyclic plan, in plan order; stages count.

    Disabled tasks pass the order on and are left out.
    """
    network = _network(graph)
    ids = [spec.id for spec in plan.tasks]
    active = {position for position, spec in enumerate(plan.tasks) if spec.enabled}
    path = [position for position in _critical_path(network, plan) if position in active]
    generations = [active.intersection(wave) for wave in nx.topological_generations(network)]
    waves = [sorted(wave) for wave in generations if wave]
    widest = max((len(wave) for wave in waves), default=0)
    return PlanShape(
        waves=tuple(tuple(ids[position] for position in wave) for wave in waves),
        critical_path=tuple(ids[position] for position in path),
        critical_seconds=sum(plan.tasks[position].estimate_seconds for position in path),
        width=_width(network, active) if len(ids) <= _LARGEST_EXACT_WIDTH else widest,
    )


def _network(graph: PlanGraph) -> "nx.DiGraph[int]":
    """Return the graph of positions; further nodes are barriers between stages."""
    network: nx.DiGraph[int] = nx.DiGraph()
    network.add_nodes_from(range(len(graph.needs)))
    for position, needs in enumerate(graph.needs):
        network.add_edges_from((need, position) for need in needs)
    numbers = sorted(set(graph.stages))
    ends = {stage: len(graph.needs) + place for place, stage in enumerate(numbers[:-1])}
    begins = {later: ends[earlier] for earlier, later in pairwise(numbers)}
    for position, stage in enumerate(graph.stages):
        if stage in ends:
            network.add_edge(position, ends[stage])
        if stage in begins:
            network.add_edge(begins[stage], position)
    return network


def _critical_path(network: "nx.DiGraph[int]", plan: Plan) -> list[int]:
    """Return the longest chain by estimates; among equals the first in the plan."""
    if not plan.tasks:
        return []
    ends_after: dict[int, float] = {}
    before: dict[int, int | None] = {}
    for position in nx.topological_sort(network):
        latest = max(
            sorted(network.predecessors(position)), key=lambda need: ends_after[need], default=None
        )
        before[position] = latest
        start = 0.0 if latest is None else ends_after[latest]
        ends_after[position] = start + _seconds(plan, position)
    current: int | None = max(sorted(ends_after), key=lambda position: ends_after[position])
    path = []
    while current is not None:
        path.append(current)
        current = before[current]
    return path[::-1]


def _seconds(plan: Plan, node: int) -> float:
    """Return the duration of a node, 0 for disabled tasks and barriers."""
    is_task = node < len(plan.tasks) and plan.tasks[node].enabled
    return plan.tasks[node].estimate_seconds if is_task else 0.0


def _width(network: "nx.DiGraph[int]", active: set[int]) -> int:
    """Return the largest antichain: nodes minus a maximum matching of the order (Fulkerson)."""
    closure = nx.transitive_closure_dag(network).subgraph(active)
    tops = [("from", node) for node in closure]
    split: nx.Graph[tuple[str, int]] = nx.Graph()
    split.add_nodes_from(tops)
    split.add_edges_from((("from", left), ("to", right)) for left, right in closure.edges)
    matching = nx.bipartite.hopcroft_karp_matching(split, tops)
    return len(active) - len(matching) // 2
