"""What must have ended before what, through any number of needs and stages."""

from pex_tui.core.graph import PlanGraph


class Precedence:
    """The order that a graph's needs and stages impose on its positions."""

    def __init__(self, graph: PlanGraph) -> None:
        # A bit set each. Later stages have more positions before them, so sorting by their number
        # puts every position after its needs and after its stage's predecessors alike.
        self._before = [0] * len(graph.needs)
        for position in sorted(graph.order, key=lambda place: len(graph.earlier_stages[place])):
            for other in (*graph.needs[position], *graph.earlier_stages[position]):
                self._before[position] |= self._before[other] | 1 << other

    def orders(self, first: int, second: int) -> bool:
        """Whether one of the two must have ended before the other starts."""
        return bool(self._before[first] >> second & 1 or self._before[second] >> first & 1)
