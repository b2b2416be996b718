from hypothesis import given
from hypothesis import strategies as st

from pex_tui.tui.dag import Drawing, draw
from tests.tui.drafts import twelve


def lines(drawing: Drawing) -> list[str]:
    return [
        "".join(
            drawing.cells[row, column].text if (row, column) in drawing.cells else " "
            for column in range(drawing.width)
        )
        for row in range(drawing.height)
    ]


@st.composite
def graphs(draw_from: st.DrawFn) -> list[list[int]]:
    count = draw_from(st.integers(1, 14))
    return [
        sorted(draw_from(st.sets(st.integers(0, node - 1), max_size=3))) if node else []
        for node in range(count)
    ]


def test_a_chain_is_one_line() -> None:
    (line,) = lines(draw(["a", "b", "c"], [[], [0], [1]], ascii_only=False))

    assert line == " a ──▸ b ──▸ c "


def test_ascii_draws_without_box_characters() -> None:
    text = "".join(lines(draw(["a", "b", "c"], [[], [0], [0]], ascii_only=True)))

    assert text.isascii()


def test_twelve_tasks_fit_twelve_rows() -> None:
    draft = twelve()
    names = [spec.id for spec in draft.plan.tasks]

    assert draw(names, draft.graph.needs, ascii_only=False).height <= 12


@given(graphs())
def test_every_task_stands_right_of_all_it_needs_and_nothing_overlaps(
    needs: list[list[int]],
) -> None:
    names = [f"task-{node}" for node in range(len(needs))]
    drawing = draw(names, needs, ascii_only=False)
    rows = lines(drawing)

    assert len(drawing.places) == len(needs)
    for node, (row, column, width) in drawing.places.items():
        assert rows[row][column : column + width] == f" {names[node]} "
        for need in needs[node]:
            _, left, wide = drawing.places[need]
            assert left + wide <= column


@given(graphs())
def test_every_edge_is_drawn_from_end_to_end(needs: list[list[int]]) -> None:
    drawing = draw([str(node) for node in range(len(needs))], needs, ascii_only=False)
    edges = {(need, node) for node, needed in enumerate(needs) for need in needed}
    drawn = {edge for cell in drawing.cells.values() for edge in cell.edges}

    assert drawn == edges
