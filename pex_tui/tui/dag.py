"""Draw a graph from left to right in lines of cells.

Columns follow the number of predecessors in a row; an edge over several columns passes through
dummy places. Places are ordered by the mean of their neighbours (barycentre method, Sugiyama).
"""

from collections.abc import Sequence

from msgspec import Struct, field

_NORTH, _EAST, _SOUTH, _WEST = 1, 2, 4, 8
_LINES = {
    _EAST | _WEST: "─",
    _NORTH | _SOUTH: "│",
    _SOUTH | _EAST: "╭",
    _SOUTH | _WEST: "╮",
    _NORTH | _EAST: "╰",
    _NORTH | _WEST: "╯",
    _NORTH | _SOUTH | _EAST: "├",
    _NORTH | _SOUTH | _WEST: "┤",
    _EAST | _WEST | _SOUTH: "┬",
    _EAST | _WEST | _NORTH: "┴",
    _NORTH | _EAST | _SOUTH | _WEST: "┼",
    _EAST: "─",
    _WEST: "─",
    _NORTH: "│",
    _SOUTH: "│",
}
_GAP = 3
_SWEEPS = 6
Edge = tuple[int, int]


class Cell(Struct):
    """One character, with its node, or with the edges that pass through it."""

    text: str
    node: int | None = None
    edges: frozenset[Edge] = frozenset()


class Drawing(Struct):
    """Rows of cells; a missing cell is blank. `places` are (row, column, width) of each node."""

    width: int
    height: int
    cells: dict[tuple[int, int], Cell]
    places: dict[int, tuple[int, int, int]]


class _Place(Struct):
    """A node, or one of an edge's dummy places (`node` is None)."""

    node: int | None
    before: list["_Place"] = field(default_factory=list)
    after: list["_Place"] = field(default_factory=list)
    edges: set[Edge] = field(default_factory=set)
    row: int = 0


def draw(names: Sequence[str], needs: Sequence[Sequence[int]], *, ascii_only: bool) -> Drawing:
    """Draw the nodes by their names; `needs` are the positions of each one's predecessors."""
    columns = _columns(needs)
    _order(columns)
    drawing = Drawing(0, max(map(len, columns), default=0), {}, {})
    bits: dict[tuple[int, int], int] = {}
    left = 0
    for column in columns:
        wide = max(len(names[place.node]) + 2 for place in column if place.node is not None)
        for place in column:
            _put_place(drawing, bits, names, place, left, wide)
        gap = _put_edges(drawing, bits, column, left + wide)
        left += wide + gap
    drawing.width = left
    for (row, column_at), mask in bits.items():
        cell = drawing.cells[row, column_at]
        if cell.node is None and cell.text == "":
            cell.text = _LINES[mask]
    if ascii_only:
        _to_ascii(drawing)
    return drawing


def _columns(needs: Sequence[Sequence[int]]) -> list[list[_Place]]:
    depth: dict[int, int] = {}

    def depth_of(node: int) -> int:
        stack = [node]
        while stack:
            at = stack[-1]
            missing = [need for need in needs[at] if need not in depth]
            if missing:
                stack.extend(missing)
            else:
                depth[at] = 1 + max((depth[need] for need in needs[at]), default=-1)
                stack.pop()
        return depth[node]

    columns: list[list[_Place]] = [
        [] for _ in range(1 + max((depth_of(node) for node in range(len(needs))), default=-1))
    ]
    places = {}
    for node in range(len(needs)):
        places[node] = _Place(node)
        columns[depth[node]].append(places[node])
    for node, needed in enumerate(needs):
        for need in needed:
            last = places[need]
            for column in range(depth[need] + 1, depth[node]):
                last = _through(columns[column], last, (need, node))
            _connect(last, places[node], (need, node))
    return columns


def _through(column: list[_Place], last: _Place, edge: Edge) -> _Place:
    """Return the dummy place of an edge in a column; edges from one node share it."""
    shared = next((one for one in last.after if one.node is None and one in column), None)
    place = shared or _Place(None)
    if shared is None:
        column.append(place)
    _connect(last, place, edge)
    return place


def _connect(left: _Place, right: _Place, edge: Edge) -> None:
    if right not in left.after:
        left.after.append(right)
        right.before.append(left)
    left.edges.add(edge)
    right.edges.add(edge)


def _order(columns: list[list[_Place]]) -> None:
    """Reduce crossings: move each place toward the mean of its neighbours, in both directions."""
    _number(columns)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        for column in columns if forward else reversed(columns):
            column.sort(key=lambda place: _mean(place.before if forward else place.after, place))
            for row, place in enumerate(column):
                place.row = row
    _spread(columns)


def _number(columns: list[list[_Place]]) -> None:
    for column in columns:
        for row, place in enumerate(column):
            place.row = row


def _mean(others: list[_Place], place: _Place) -> float:
    return sum(other.row for other in others) / len(others) if others else place.row


def _spread(columns: list[list[_Place]]) -> None:
    """Straighten the rows, as far as the tallest column allows."""
    height = max(map(len, columns), default=0)
    for column in columns:
        lowest = 0
        for above, place in enumerate(column):
            wanted = round(_mean(place.before, place))
            highest = height - (len(column) - above)
            place.row = min(max(wanted, lowest), highest)
            lowest = place.row + 1


def _put_place(
    drawing: Drawing,
    bits: dict[tuple[int, int], int],
    names: Sequence[str],
    place: _Place,
    left: int,
    wide: int,
) -> None:
    if place.node is None:
        _line(drawing, bits, place.row, left, left + wide, frozenset(place.edges))
        return
    text = f" {names[place.node]} "
    drawing.places[place.node] = (place.row, left, len(text))
    for step, character in enumerate(text):
        drawing.cells[place.row, left + step] = Cell(character, place.node)
    if place.after:
        edges = frozenset(edge for edge in place.edges if edge[0] == place.node)
        _line(drawing, bits, place.row, left + len(text), left + wide, edges)


def _put_edges(
    drawing: Drawing, bits: dict[tuple[int, int], int], column: list[_Place], left: int
) -> int:
    """Draw the gap after a column, with a line for each place that turns; return its width."""
    turning = [place for place in column if any(other.row != place.row for other in place.after)]
    if not any(place.after for place in column):
        return 0
    gap = _GAP + len(turning)
    for place in column:
        lane = left + 1 + (turning.index(place) if place in turning else 0)
        for other in place.after:
            edges = frozenset(place.edges & other.edges)
            _line(drawing, bits, place.row, left, lane, edges)
            _turn(drawing, bits, lane, place.row, other.row, edges)
            _line(drawing, bits, other.row, lane + 1, left + gap, edges)
            if other.node is not None:
                head = drawing.cells[other.row, left + gap - 1]
                head.text = "▸"
    return gap


def _line(
    drawing: Drawing,
    bits: dict[tuple[int, int], int],
    row: int,
    first: int,
    last: int,
    edges: frozenset[Edge],
) -> None:
    for column in range(first, last):
        _mark(drawing, bits, row, column, _EAST | _WEST, edges)


def _turn(
    drawing: Drawing,
    bits: dict[tuple[int, int], int],
    lane: int,
    start: int,
    end: int,
    edges: frozenset[Edge],
) -> None:
    if start == end:
        _mark(drawing, bits, start, lane, _EAST | _WEST, edges)
        return
    down = end > start
    _mark(drawing, bits, start, lane, _WEST | (_SOUTH if down else _NORTH), edges)
    for row in range(min(start, end) + 1, max(start, end)):
        _mark(drawing, bits, row, lane, _NORTH | _SOUTH, edges)
    _mark(drawing, bits, end, lane, _EAST | (_NORTH if down else _SOUTH), edges)


def _mark(
    drawing: Drawing,
    bits: dict[tuple[int, int], int],
    row: int,
    column: int,
    mask: int,
    edges: frozenset[Edge],
) -> None:
    cell = drawing.cells.setdefault((row, column), Cell(""))
    if cell.node is None:
        cell.edges |= edges
        bits[row, column] = bits.get((row, column), 0) | mask


def _to_ascii(drawing: Drawing) -> None:
    for cell in drawing.cells.values():
        if cell.node is None:
            cell.text = {"─": "-", "│": "|", "▸": ">"}.get(cell.text, "+")
