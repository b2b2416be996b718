"""The effect of monitoring.detail_level and show_performance on the screen."""

from pathlib import Path

import pytest

from pex_tui.core.model.ids import RunId
from pex_tui.core.views.view_models import task_rows
from pex_tui.engine.session import Usage
from pex_tui.tui.screens.monitor import MonitorScreen
from pex_tui.tui.symbols import SymbolName, choose
from pex_tui.tui.widgets.agents import AgentList
from pex_tui.tui.widgets.classic.classic_lines import Canvas, draw
from pex_tui.tui.widgets.classic.classic_view import classic_view
from pex_tui.tui.widgets.columns import Columns, Detail, columns
from pex_tui.tui.widgets.metrics import MetricsPanel
from tests.tui import states
from tests.tui.hosts import ScriptedService, ScriptedSession, app_on
from tests.tui.waiting import until

WIDTH = 160


def shown(detail: Detail) -> Columns:
    return columns(WIDTH, 1, task_rows(states.busy(), states.NOW), RunId("7f3a"), detail)


def test_less_detail_has_fewer_columns() -> None:
    assert shown("full") == shown("high")
    assert shown("high").ref > 0
    assert (shown("medium").ref, shown("medium").spent) == (0, 0)
    assert shown("medium").title > 0
    assert (shown("low").title, shown("low").time) == (0, 0)
    assert shown("low").activity > shown("medium").activity > shown("high").activity


@pytest.mark.parametrize("has_figures", [True, False])
def test_the_box_leaves_out_what_agents_use(has_figures: bool) -> None:
    view = classic_view(states.busy(), states.NOW, has_figures=has_figures)
    page = draw(view, Canvas(100, 30, choose(SymbolName.ASCII, "utf-8")), None)
    text = "\n".join("".join(piece for piece, _ in line.pieces) for line in page.lines)

    assert ("Memory:" in text) is ("CPU:" in text) is has_figures


class _Unmeasured(ScriptedSession):
    measured = 0

    async def usage(self) -> Usage:
        self.measured += 1
        return Usage()


async def test_without_figures_nothing_is_measured_and_details_are_as_configured(
    logs: Path,
) -> None:
    run = states.busy()
    session = _Unmeasured(run, logs)
    app = app_on(
        ScriptedService(session),
        start=session,
        symbols="line",
        refresh_seconds=3600.0,
        has_figures=False,
        detail="full",
        now=lambda: run.now,
    )
    async with app.run_test(size=(WIDTH, 40)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))
        assert isinstance(app.screen, MonitorScreen)
        await app.screen.measure().wait()

        assert not app.screen.query_one(MetricsPanel).display
        assert session.measured == 0
        rows = app.screen.query_one(AgentList)
        lines = [rows.line(at, WIDTH - 4).text for at in range(len(rows.shown))]
        assert any("attempt 1: " in line for line in lines)
