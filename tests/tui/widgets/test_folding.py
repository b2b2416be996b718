"""Folding: every row fits, no word is lost, and places survive another width."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pex_tui.core.model.ids import RunId
from pex_tui.core.model.state import Outcome
from pex_tui.core.sanitize import clean
from pex_tui.engine.session import RunSummary
from pex_tui.tui.screens.history import HistoryScreen
from pex_tui.tui.screens.monitor import MonitorScreen
from pex_tui.tui.widgets.text.folding import FoldedLines, Place, row_starts
from pex_tui.tui.widgets.text.text_view import FoldedView
from pex_tui.tui.widgets.text.text_view import folded as folded_pieces
from tests.tui import states
from tests.tui.hosts import ScriptedService, ScriptedSession, app_on
from tests.tui.waiting import screen_text, until

WORDS = [f"w{number}" for number in range(90)]

LINES = ("one two three four five", "", "six", "漢字" * 7)


def folded(width: int, lines: tuple[str, ...] = LINES) -> FoldedLines:
    return FoldedLines(lines.__getitem__, len(lines), width)


def shown(lines: FoldedLines, top: Place, height: int) -> list[str]:
    return [row.text for row in lines.page(top, height)]


@pytest.mark.parametrize(
    ("text", "width", "rows"),
    [
        ("", 5, [""]),
        ("words that fit", 14, ["words that fit"]),
        ("words that do not fit", 11, ["words that", "do not fit"]),
        ("exactly   spaced", 7, ["exactly", "spaced"]),
        ("  indented/path", 8, ["  indent", "ed/path"]),
        ("see unbreakable", 6, ["see", "unbrea", "kable"]),
        ("漢字漢字漢", 5, ["漢字", "漢字", "漢"]),
        ("ab 漢字漢字", 6, ["ab 漢", "字漢字"]),
        ("e\u0301e\u0301e\u0301", 2, ["e\u0301e\u0301", "e\u0301"]),
        ("漢字", 0, ["漢", "字"]),
        ("fits but for its blanks   ", 23, ["fits but for its blanks"]),
    ],
)
def test_a_text_is_folded_at_words(text: str, width: int, rows: list[str]) -> None:
    assert shown(folded(width, (text,)), Place(0, 0), 99) == rows


@given(st.text(max_size=80).map(clean), st.integers(2, 30))
def test_rows_fit_and_hold_all_of_the_text(text: str, width: int) -> None:
    rows = shown(folded(width, (text,)), Place(0, 0), 999)
    assert all(cell_len(row) <= width for row in rows)
    assert "".join(rows).replace(" ", "") == text.replace(" ", "").rstrip()
    assert row_starts(text, width) == sorted(set(row_starts(text, width)))


@pytest.mark.parametrize("width", [3, 8, 40])
def test_steps_down_and_up_again_meet_every_row_once(width: int) -> None:
    lines = folded(width)
    count = len(lines.page(Place(0, 0), 999))
    places = [lines.moved(Place(0, 0), by) for by in range(count)]
    assert places == sorted(set(places))
    assert lines.moved(places[-1], 5) == places[-1]
    assert [lines.moved(places[-1], -by) for by in range(count)] == places[::-1]
    assert lines.moved(places[0], -5) == places[0]


def test_a_page_begins_within_a_line_and_says_how_much_of_all_it_shows() -> None:
    page = folded(9).page(Place(0, 8), 3)
    assert [row.text for row in page] == ["three", "four five", ""]
    assert (page[0].since, page[-1].until) == (1 / 3, 2.0)


def test_a_place_stays_with_its_text_at_another_width() -> None:
    place = folded(9).moved(Place(0, 0), 2)
    assert shown(folded(9), place, 1) == ["four five"]
    assert shown(folded(5), place, 1) == ["four"]
    assert shown(folded(20), place, 2) == ["one two three four", "five"]


def test_painted_lines_keep_their_inks_when_they_are_folded() -> None:
    line = (("  ", ""), ("✓", "done"), (" one two three", ""))
    assert folded_pieces([line, (("short", "dim"),)], 9) == [
        (("  ", ""), ("✓", "done"), (" one ", "")),
        (("two three", ""),),
        (("short", "dim"),),
    ]


@pytest.mark.parametrize("place", ["diff", "report"])
async def test_long_lines_of_a_diff_and_of_a_report_are_folded(place: str) -> None:
    text = " ".join(WORDS)
    session = ScriptedSession(states.busy())
    session.diff_text = f"+{text}\n"
    service = ScriptedService(session)
    service.summaries = (RunSummary(RunId("7f3a"), "x", 1.0, Outcome.FAILED, 1, 2, 60.0),)
    service.report_text = text
    app = app_on(service, start=session, now=lambda: states.NOW)
    async with app.run_test(size=(80, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))
        await pilot.press("2" if place == "diff" else "f5")
        kind = MonitorScreen if place == "diff" else HistoryScreen
        await until(pilot, lambda: isinstance(app.screen, kind) and "w89" in screen_text(app))

        shown = screen_text(app).split()
        assert [word for word in WORDS if word not in shown and f"+{word}" not in shown] == []
        assert app.screen.query_one(f"#{place}", FoldedView).line_total() > 3
