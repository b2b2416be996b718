"""The monitor's keys, and its display of a run that changes."""

from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from pex_tui.core.events.run_events import (
    AbortRequested,
    BoostRequested,
    BoostToggled,
    Event,
    LandRequested,
    PauseRequested,
    ResumeRequested,
    RetryRequested,
    RunAbortRequested,
    RunPauseRequested,
    RunResumeRequested,
    SlotsRequested,
)
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import RunStage
from pex_tui.engine.ports import WorkspaceError
from pex_tui.tui.app import PexApp
from pex_tui.tui.screens.monitor import MonitorScreen
from pex_tui.tui.widgets.agents import AgentList
from pex_tui.tui.widgets.cards import SlotCards
from pex_tui.tui.widgets.detail import DetailPanel
from pex_tui.tui.widgets.metrics import MetricsPanel
from pex_tui.tui.widgets.notice import Notice
from pex_tui.tui.widgets.scroller import Scroller
from pex_tui.tui.widgets.text.log_view import LogView
from tests.tui import states
from tests.tui.conftest import OpenApp, session_of
from tests.tui.hosts import ScriptedService, ScriptedSession, app_on
from tests.tui.waiting import screen_text, until, until_shown

USUAL = (120, 36)
T = TaskId


async def settled(pilot: Pilot[None]) -> None:
    """Wait until the monitor shows the run."""
    for _ in range(100):
        await pilot.pause()
        screen = pilot.app.screen
        if isinstance(screen, MonitorScreen) and screen.is_mounted and screen.run_state:
            break
    await pilot.pause()


def agents_of(app: PexApp) -> AgentList:
    return app.screen.query_one(AgentList)


KEYS: list[tuple[list[str], list[Event]]] = [
    (["p"], [PauseRequested(task=T("models"), by="you")]),
    (["j", "j", "j", "p"], [ResumeRequested(task=T("ledger"), by="you")]),
    (["b"], [BoostRequested(task=T("models"), by="you")]),
    (["j", "b"], [BoostRequested(task=T("contracts"), by="you")]),
    (["G", "r"], [RetryRequested(task=T("legacy"), by="you")]),
    (["r", "y"], [RetryRequested(task=T("models"), by="you")]),
    (["r", "n"], []),
    (["a", "y"], [AbortRequested(task=T("models"), by="you")]),
    (["a", "n"], []),
    (["a", "escape"], []),
    (["a", "enter"], []),
    (["P"], [RunPauseRequested(by="you")]),
    (["B"], [BoostToggled(by="you")]),
    (["A", "y"], [RunAbortRequested(by="you")]),
    (["A", "n"], []),
    (["plus"], [SlotsRequested(slots=6, by="you")]),
    (["minus"], [SlotsRequested(slots=4, by="you")]),
    (["L"], [LandRequested(by="you")]),
]
MARKED: list[tuple[list[str], list[Event]]] = [
    (
        ["space", "space", "p"],
        [PauseRequested(task=T("models"), by="you"), PauseRequested(task=T("contracts"), by="you")],
    ),
    (
        ["space", "j", "space", "a", "y"],
        [AbortRequested(task=T("models"), by="you"), AbortRequested(task=T("threats"), by="you")],
    ),
]


async def test_a_key_asks_the_engine(open_app: OpenApp) -> None:
    app = open_app()
    async with app.run_test(size=USUAL) as pilot:
        await settled(pilot)
        for pressed, posted in KEYS:
            session_of(app).posted.clear()
            for key in ("g", *pressed):
                await pilot.press(key)
                await pilot.pause()
            assert session_of(app).posted == posted, pressed


@pytest.mark.parametrize(("pressed", "posted"), MARKED)
async def test_a_key_asks_the_engine_for_all_that_are_marked(
    open_app: OpenApp, pressed: list[str], posted: list[Event]
) -> None:
    app = open_app()
    async with app.run_test(size=USUAL) as pilot:
        await settled(pilot)
        for key in pressed:
            await pilot.press(key)
            await pilot.pause()
        assert session_of(app).posted == posted


async def test_pausing_a_paused_run_resumes_it(open_app: OpenApp) -> None:
    paused = replace(states.busy(), stage=RunStage.PAUSED, paused_at=states.NOW)
    app = open_app(paused)
    async with app.run_test(size=USUAL) as pilot:
        await settled(pilot)
        await pilot.press("P")
        await pilot.pause()
        assert session_of(app).posted == [RunResumeRequested(by="you")]


async def test_keys_that_would_do_nothing_are_grey_and_do_nothing(open_app: OpenApp) -> None:
    app = open_app()
    async with app.run_test(size=USUAL) as pilot:
        await settled(pilot)
        agents_of(app).cursor = T("docs")
        await pilot.pause()
        enabled = {key: active.enabled for key, active in app.screen.active_bindings.items()}
        assert [enabled[key] for key in "pbrac"] == [False, False, False, False, True]
        await pilot.press("p", "b", "r", "a")
        await pilot.pause()
        assert session_of(app).posted == []


async def test_a_request_that_the_runs_process_does_not_take_is_told(open_app: OpenApp) -> None:
    app = open_app()
    async with app.run_test(size=USUAL) as pilot:
        await settled(pilot)
        session_of(app).refusal = "The process that drives the run refused: it is gone"
        await pilot.press("p")
        await until(pilot, lambda: bool(app._notifications))
        assert session_of(app).posted == []
        assert [note.message for note in app._notifications] == [
            "The process that drives the run refused: it is gone"
        ]


async def test_moving_shows_another_task(open_app: OpenApp) -> None:
    app = open_app()
    async with app.run_test(size=USUAL) as pilot:
        await settled(pilot)
        for key, expected in [
            ("j", "contracts"),
            ("G", "legacy"),
            ("k", "changelog"),
            ("g", "models"),
        ]:
            await pilot.press(key)
            await pilot.pause()
            assert agents_of(app).cursor == expected
            assert app.screen.query_one(DetailPanel).task_id == expected


async def test_the_digits_choose_a_tab(open_app: OpenApp) -> None:
    app = open_app()
    async with app.run_test(size=USUAL) as pilot:
        await settled(pilot)
        for key, text in [
            ("2", "+def refund(amount, reason):"),
            ("3", "│ Payments models"),
            ("4", "/state/pool/1"),
            ("1", "14 passed in 0.41s"),
        ]:
            await pilot.press(key)
            await until_shown(pilot, text)


async def test_h_and_l_move_the_focus_between_panels(open_app: OpenApp) -> None:
    app = open_app()
    async with app.run_test(size=USUAL) as pilot:
        await settled(pilot)
        names = []
        for key in "lllh":
            await pilot.press(key)
            names.append(type(app.screen.focused).__name__)
        assert names == ["LogView", "Timeline", "AgentList", "Timeline"]


async def test_enter_zooms_and_escape_goes_back_even_on_a_small_terminal(
    open_app: OpenApp,
) -> None:
    app = open_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert "14 passed" not in screen_text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert "14 passed" in screen_text(app)
        await pilot.press("escape")
        await pilot.pause()
        assert "14 passed" not in screen_text(app)
        assert agents_of(app).has_focus


async def test_a_digit_shows_its_tab_where_the_screen_is_too_low_for_it(open_app: OpenApp) -> None:
    app = open_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("2")
        await until_shown(pilot, "+def refund(amount, reason):")
        await pilot.press("escape")
        await pilot.pause()
        assert "+def refund" not in screen_text(app)
        assert agents_of(app).has_focus


async def test_the_filter_shows_what_matches(open_app: OpenApp) -> None:
    app = open_app()
    async with app.run_test(size=USUAL) as pilot:
        await settled(pilot)
        await pilot.press("slash", *"docs-w", "enter")
        await pilot.pause()
        assert [row.id for row in agents_of(app).shown] == ["docs", "changelog"]
        assert agents_of(app).cursor == "docs"
        await pilot.press("escape")
        await pilot.pause()
        assert len(agents_of(app).shown) == 10


async def test_sorting_by_status_puts_what_needs_a_person_first(open_app: OpenApp) -> None:
    app = open_app()
    async with app.run_test(size=USUAL) as pilot:
        await settled(pilot)
        await pilot.press("s")
        await pilot.pause()
        order = [row.id for row in agents_of(app).shown]
        assert order[:2] == ["refunds", "legacy"]
        assert order[-1] == "docs"


async def test_following_the_log_can_be_switched_off(open_app: OpenApp) -> None:
    app = open_app()
    async with app.run_test(size=USUAL) as pilot:
        await settled(pilot)
        assert "follow" in screen_text(app)
        await pilot.press("f")
        await pilot.pause()
        assert not app.screen.query_one(LogView).follow
        assert "follow" not in screen_text(app)


async def test_changes_that_cannot_be_read_say_why(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(session: ScriptedSession, task: TaskId) -> str:
        del session, task
        raise WorkspaceError("the workspace is gone")

    monkeypatch.setattr(ScriptedSession, "diff", refuse)
    app = open_app()
    async with app.run_test(size=USUAL) as pilot:
        await settled(pilot)
        await pilot.press("2")
        await until_shown(pilot, "The changes can't be read: the workspace is gone")


@pytest.mark.parametrize("key", ["c", "enter"])
async def test_a_conflict_is_opened_by_its_key_or_from_its_notice(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    shown: list[str] = []
    app = open_app()
    async with app.run_test(size=USUAL) as pilot:
        await settled(pilot)
        monkeypatch.setattr(app, "action_show", shown.append)
        if key == "enter":
            app.screen.query_one(Notice).focus()
        await pilot.press(key)
        await pilot.pause()
        assert shown == ["conflict"]
        assert app.conflict_task == "refunds"


async def test_without_colour_bars_differ_in_shape(
    logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    session = ScriptedSession(states.busy(), logs)
    app = app_on(ScriptedService(session), start=session, now=lambda: states.NOW)
    async with app.run_test(size=USUAL) as pilot:
        await settled(pilot)
        line = next(line for line in screen_text(app).splitlines() if "Editing src" in line)
        assert "██████████░░░░" in line


async def test_copying_takes_the_branch_of_the_last_attempt(open_app: OpenApp) -> None:
    app = open_app()
    async with app.run_test(size=USUAL) as pilot:
        await settled(pilot)
        await pilot.press("y")
        await pilot.pause()
        assert app.clipboard == "refs/pex/7f3a/models/1"


async def test_cards_show_every_slot_and_steer_as_rows_do(open_app: OpenApp) -> None:
    app = open_app(states.calm())
    async with app.run_test(size=(120, 50)) as pilot:
        await settled(pilot)
        await pilot.press("v")
        await pilot.pause()
        shown = screen_text(app)
        assert all(f"{number} " in shown for number in range(1, 9))
        assert "8 free" in shown
        await pilot.press("j", "p")
        await pilot.pause()
        assert session_of(app).posted == [PauseRequested(task=T("contracts"), by="you")]


async def test_all_eight_cards_of_a_boosted_run_are_seen_whole(open_app: OpenApp) -> None:
    app = open_app(states.calm())
    async with app.run_test(size=USUAL) as pilot:
        await settled(pilot)
        await pilot.press("v")
        cards = app.screen.query_one(SlotCards)
        await until(pilot, lambda: cards.size.height == cards.line_total() == 20)
        await pilot.press("v")
        await until(pilot, lambda: agents_of(app).has_focus)


async def test_a_new_state_repaints_what_changed(open_app: OpenApp) -> None:
    app = open_app()
    async with app.run_test(size=USUAL) as pilot:
        await settled(pilot)
        before = states.busy()
        first, *others = before.tasks
        changed = replace(first, activity="Running the linter", progress=0.9)
        session_of(app).publish(replace(before, tasks=(changed, *others), seq=before.seq + 1))
        await until_shown(pilot, "Running the linter")
        assert "90%" in screen_text(app)


async def test_a_click_puts_the_cursor_there(open_app: OpenApp) -> None:
    app = open_app()
    async with app.run_test(size=USUAL) as pilot:
        await settled(pilot)
        await pilot.click(AgentList, offset=(10, 3))
        await pilot.pause()
        assert agents_of(app).cursor == "threats"


async def test_unknown_progress_is_a_dash_and_never_a_figure(open_app: OpenApp) -> None:
    app = open_app()
    async with app.run_test(size=USUAL) as pilot:
        await settled(pilot)
        line = next(line for line in screen_text(app).splitlines() if "Reading docs" in line)
        assert "%" not in line
        assert "╌" in line
        assert "–" in line  # the dash for an unknown figure


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)])
async def test_hostile_text_never_reaches_the_terminal(
    open_app: OpenApp, logs: Path, size: tuple[int, int]
) -> None:
    app = open_app(states.hostile())
    log = logs / "models-1.log"
    log.write_bytes(states.HOSTILE.encode("utf-8", "surrogatepass") + b"\xff\xfe\r\x9b2J\n")
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        session_of(app).diff_text = f"+{states.HOSTILE}\n"
        for key in ["1", "2", "3", "4", "v", "v", "enter"]:
            await pilot.press(key)
            await pilot.pause()
            text = screen_text(app).replace("\n", "")
            assert text.isprintable()
            assert "pwned" not in text


async def test_a_log_of_a_million_lines_is_read_where_it_is_looked_at(
    open_app: OpenApp, logs: Path
) -> None:
    app = open_app()
    log = logs / "models-1.log"
    log.write_text("".join(f"line {number}\n" for number in range(200_000)))
    async with app.run_test(size=USUAL) as pilot:
        await settled(pilot)
        assert "line 199999" in screen_text(app)
        await pilot.press("l", "g")
        await pilot.pause()
        assert "line 0" in screen_text(app)
        with log.open("a") as stream:
            stream.write("the end\n")
        await pilot.press("f")
        await until_shown(pilot, "the end")


@pytest.mark.paints
async def test_every_scroller_keeps_its_lines_within_its_width(open_app: OpenApp) -> None:
    app = open_app(states.crowded(), symbols="emoji")
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        for scroller in app.screen.query(Scroller):
            for y in range(scroller.size.height):
                assert scroller.render_line(y).cell_length == scroller.size.width


async def test_what_there_is_no_room_for_is_cut_with_a_mark(open_app: OpenApp) -> None:
    app = open_app(states.busy())
    async with app.run_test(size=USUAL) as pilot:
        await settled(pilot)
        agents = agents_of(app)
        assert agents.paint([("as wide as", ""), (" it gets", "dim")], 14).text == "as wide as it…"
        assert agents.paint([("as wide as", "")], 10).text == "as wide as"


async def test_a_wide_monitor_draws_what_the_models_use(open_app: OpenApp) -> None:
    app = open_app(states.busy())
    async with app.run_test(size=(200, 50)) as pilot:
        await settled(pilot)
        screen = app.screen
        assert isinstance(screen, MonitorScreen)
        for tokens in (1_000, 9_000, 11_000):
            tasks = (replace(states.busy().tasks[0], tokens=tokens), *states.busy().tasks[1:])
            session_of(app).publish(replace(states.busy(), tasks=tasks, seq=tokens))
            await until(pilot, partial(shows, screen, tokens))
            await screen.measure().wait()
        # Otherwise the next second of the clock would do it.
        screen.query_one(MetricsPanel).refresh()
        await until(pilot, lambda: "█▃" in screen_text(app))


def shows(screen: MonitorScreen, seq: int) -> bool:
    return screen.run_state is not None and screen.run_state.seq == seq


async def test_a_flood_of_lines_is_shown_at_every_other_look(open_app: OpenApp, logs: Path) -> None:
    app = open_app()
    async with app.run_test(size=USUAL) as pilot:
        await until_shown(pilot, "editing src/pay/models.py")
        log = app.screen.query_one(LogView)
        log.on_hide()  # only the test's own looks
        for number in range(3):
            with (logs / "models-1.log").open("a", encoding="utf-8") as stream:
                stream.write("a line\n" * 1000)
            before = log.line_total()
            log.read()
            assert (log.line_total() - before >= 1000) is (number != 1)


async def test_a_log_that_was_quiet_for_long_is_read_on(open_app: OpenApp, logs: Path) -> None:
    app = open_app()
    async with app.run_test(size=USUAL) as pilot:
        await until_shown(pilot, "editing src/pay/models.py")
        log = app.screen.query_one(LogView)
        for _ in range(100):
            log.read()
        with (logs / "models-1.log").open("a", encoding="utf-8") as stream:
            stream.write("news at last\n")
        await until_shown(pilot, "news at last")
        with (logs / "models-1.log").open("a", encoding="utf-8") as stream:
            stream.write("and more of them\n")
        await until_shown(pilot, "and more of them")


def log_rows(app: PexApp) -> list[str]:
    log = app.screen.query_one(LogView)
    return [log.render_line(y).text[:-1].rstrip() for y in range(log.size.height)]


@pytest.mark.paints
async def test_a_paragraph_of_the_log_is_folded_and_can_be_read_to_its_end(
    open_app: OpenApp, logs: Path
) -> None:
    words = [f"word{number:03}" for number in range(400)]
    (logs / "models-1.log").write_text(f"first\n{' '.join(words)}\nlast 漢字\n", encoding="utf-8")
    app = open_app()
    async with app.run_test(size=USUAL) as pilot:
        await until_shown(pilot, "last 漢字")  # followed to the last rows of the last lines
        assert "word399" in log_rows(app)[-2]
        assert "…" not in "".join(log_rows(app))
        await pilot.press("l", "g")
        await until(pilot, lambda: log_rows(app)[0] == "first")
        seen = " ".join(log_rows(app)).split()
        assert seen[1:] == words[: len(seen) - 1]
        second = log_rows(app)[1]
        await pilot.press("j")
        await until(pilot, lambda: log_rows(app)[0] == second)
        await pilot.resize_terminal(110, 30)
        await until(pilot, lambda: len(log_rows(app)[0]) < len(second))
        assert log_rows(app)[0].startswith("word000")
        await pilot.press("G")
        await until(pilot, lambda: log_rows(app)[-1] == "last 漢字")
        end = log_rows(app)
        await pilot.press("k")
        await until(pilot, lambda: log_rows(app)[1:] == end[:-1])
        await pilot.press("f")
        await until(pilot, lambda: log_rows(app) == end)
