"""The precedence that needs and stages impose, transitively."""

from itertools import groupby

from pex_tui.core.model.plan_graph import PlanGraph


class Precedence:
    """The precedence relation over a graph's positions."""

    def __init__(self, graph: PlanGraph) -> None:
        self._before = [0] * len(graph.needs)  # one bit set for each position
        by_stage = sorted(graph.order, key=lambda position: graph.stages[position])
        ended = 0
        for _, members in groupby(by_stage, key=lambda position: graph.stages[position]):
            stage = 0
            for position in members:
                self._before[position] = ended
                for need in graph.needs[position]:
                    self._before[position] |= self._before[need] | 1 << need
                stage |= 1 << position
            ended |= stage

    def orders(self, first: int, second: int) -> bool:
        """Return whether one of the two must have ended before the other starts."""
        return bool(self._before[first] >> second & 1 or self._before[second] >> first & 1)
