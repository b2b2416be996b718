import pytest
from rich.text import Text
from textual.app import App, ComposeResult

from pex_tui.tui.widgets.row_table import RowTable
from tests.tui.waiting import screen_text

NAMES = ("ID", "TASK", "RISK")
ROWS = (
    ("rename", "calc_total becomes order_total in all modules", "serialized"),
    ("docs", "Write docs", "none"),
)


class _Table(RowTable):
    YIELDING = frozenset({"TASK"})


class _Shown(App[None]):
    def compose(self) -> ComposeResult:
        yield _Table()

    def on_mount(self) -> None:
        self.query_one(_Table).fill(NAMES, [[Text(cell) for cell in row] for row in ROWS], 0)


@pytest.mark.parametrize("width", [38, 50, 66, 80])
async def test_a_column_gives_way_so_that_all_are_seen(width: int) -> None:
    app = _Shown()
    async with app.run_test(size=(width, 12)) as pilot:
        await pilot.pause()
        table = app.query_one(_Table)
        assert table.virtual_size.width <= width
        assert not table.show_horizontal_scrollbar
        assert "serialized" in screen_text(app)
        assert ("in all modules" in screen_text(app)) is (width >= 70)


async def test_a_new_width_is_shared_out_anew_and_the_cursor_stays() -> None:
    app = _Shown()
    async with app.run_test(size=(80, 12)) as pilot:
        await pilot.pause()
        await pilot.press("down")
        await pilot.resize_terminal(40, 12)
        await pilot.pause()
        assert "serialized" in screen_text(app)
        assert app.query_one(_Table).cursor_row == 1
        await pilot.resize_terminal(80, 12)
        await pilot.pause()
        assert "in all modules" in screen_text(app)
