"""A plan's graph as coloured text; the critical path and the selected task stand out."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from rich.style import Style
from rich.text import Text

from pex_tui.tui.dag import Cell, Drawing


def paint_graph(
    drawing: Drawing,
    critical: Sequence[int],
    selected: int | None,
    colours: Mapping[str, str],
) -> Text:
    """The drawing in the theme's colours."""
    path = set(critical)
    steps = set(pairwise(critical))
    text = Text(no_wrap=True, overflow="ignore")
    for row in range(drawing.height):
        for column in range(drawing.width):
            cell = drawing.cells.get((row, column))
            if cell is None:
                text.append(" ")
            else:
                text.append(cell.text or " ", _style(cell, path, steps, selected, colours))
        text.append("\n")
    text.right_crop(1)
    return text


def _style(
    cell: Cell,
    path: set[int],
    steps: set[tuple[int, int]],
    selected: int | None,
    colours: Mapping[str, str],
) -> Style:
    if cell.node is not None:
        ground = colours["agent-cursor"] if cell.node in path else colours["panel"]
        if cell.node == selected:
            return Style(color=colours["background"], bgcolor=colours["primary"], bold=True)
        return Style(color=colours["foreground"], bgcolor=ground)
    if selected is not None and any(selected in edge for edge in cell.edges):
        return Style(color=colours["secondary"], bold=True)
    if cell.edges & steps:
        return Style(color=colours["primary"])
    return Style(color=colours["agent-dim"])
