"""The classic monitor: its keys, its cursor, and the box when the run and the terminal change."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from textual.pilot import Pilot

from pex_tui.cli.parser import build_parser
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
    SlotsRequested,
)
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.state import RunState
from pex_tui.tui.app import PexApp
from pex_tui.tui.screens.classic import ClassicScreen
from pex_tui.tui.screens.monitor import MonitorScreen
from pex_tui.tui.symbols import SymbolName
from pex_tui.tui.widgets.classic.classic_box import ClassicBox
from tests.tui import states
from tests.tui.conftest import OpenApp, session_of
from tests.tui.hosts import ScriptedService, ScriptedSession, app_on
from tests.tui.waiting import screen_text, until, until_shown

SMALL, USUAL, LARGE = (80, 24), (120, 36), (200, 50)
T = TaskId


async def up(pilot: Pilot[None]) -> None:
    """Wait until the box shows the run and its usage."""
    await until_shown(pilot, "CPU: 68%")
    await pilot.pause()


def box_of(app: PexApp) -> ClassicBox:
    return app.screen.query_one(ClassicBox)


KEYS: list[tuple[list[str], list[Event]]] = [
    (["p"], [PauseRequested(task=T("models"), by="you")]),
    (["j", "down", "j", "p"], [ResumeRequested(task=T("ledger"), by="you")]),
    (["b"], [BoostRequested(task=T("models"), by="you")]),
    (["j", "j", "k", "up", "b"], [BoostRequested(task=T("models"), by="you")]),
    (["G", "r"], [RetryRequested(task=T("legacy"), by="you")]),
    (["r", "y"], [RetryRequested(task=T("models"), by="you")]),
    (["r", "n"], []),
    (["a", "y"], [AbortRequested(task=T("models"), by="you")]),
    (["a", "escape"], []),
    (["P"], [RunPauseRequested(by="you")]),
    (["B"], [BoostToggled(by="you")]),
    (["A", "y"], [RunAbortRequested(by="you")]),
    (["A", "n"], []),
    (["plus"], [SlotsRequested(slots=6, by="you")]),
    (["minus"], [SlotsRequested(slots=4, by="you")]),
    (["L"], [LandRequested(by="you")]),
]


@pytest.mark.parametrize(("pressed", "posted"), KEYS, ids=[" ".join(keys) for keys, _ in KEYS])
async def test_a_key_asks_the_engine(
    open_app: OpenApp, pressed: list[str], posted: list[Event]
) -> None:
    app = open_app(classic=True)
    async with app.run_test(size=USUAL) as pilot:
        await up(pilot)
        for key in pressed:
            await pilot.press(key)
            await pilot.pause()
        assert session_of(app).posted == posted


async def test_c_opens_the_conflict_and_f3_comes_back_to_the_box(open_app: OpenApp) -> None:
    app = open_app(classic=True)
    async with app.run_test(size=USUAL) as pilot:
        await up(pilot)
        await pilot.press("c")
        await until(pilot, lambda: not isinstance(app.screen, ClassicScreen))
        assert app.conflict_task == "refunds"
        await pilot.press("f3")
        await until(pilot, lambda: isinstance(app.screen, ClassicScreen))


async def test_y_copies_the_ref_of_the_last_attempt(open_app: OpenApp) -> None:
    app = open_app(classic=True)
    async with app.run_test(size=USUAL) as pilot:
        await up(pilot)
        await pilot.press("j", "y")
        await pilot.pause()
        assert app.clipboard == "refs/pex/7f3a/contracts/1"


async def test_keys_without_a_sense_here_are_not_bound(open_app: OpenApp) -> None:
    app = open_app(classic=True)
    async with app.run_test(size=USUAL) as pilot:
        await up(pilot)
        bound = set(app.screen.active_bindings)
        assert bound >= {*"pbracyPBALjk", "plus", "minus", "up", "down"}
        assert not bound & {*"vsfhl1234", "slash", "space", "escape", "left", "right"}


async def test_help_tells_only_the_keys_of_the_box(open_app: OpenApp) -> None:
    app = open_app(classic=True)
    async with app.run_test(size=USUAL) as pilot:
        await up(pilot)
        await pilot.press("question_mark")
        await until_shown(pilot, "Run and app")
        shown = screen_text(app)
        assert "Boost 5 to 8" in shown
        assert "Next panel" not in shown
        assert "Follow log" not in shown
        assert "cards" not in shown


async def test_keys_that_would_do_nothing_are_grey(open_app: OpenApp) -> None:
    app = open_app(classic=True)
    async with app.run_test(size=USUAL) as pilot:
        await up(pilot)
        await pilot.press(*"jjjj")
        await pilot.pause()
        enabled = {key: active.enabled for key, active in app.screen.active_bindings.items()}
        assert [enabled[key] for key in "pbrac"] == [False, False, False, False, True]


async def test_the_cursor_moves_by_keys_and_by_mouse(open_app: OpenApp) -> None:
    app = open_app(states.crowded(), classic=True)
    async with app.run_test(size=SMALL) as pilot:
        await up(pilot)
        assert box_of(app).cursor == "models"
        for key, expected in [
            ("j", "contracts"),
            ("G", "metrics"),
            ("j", "metrics"),
            ("k", "brand"),
            ("home", "models"),
            ("k", "models"),
        ]:
            await pilot.press(key)
            await pilot.pause()
            assert box_of(app).cursor == expected
            shown = screen_text(app)
            line = next(line for line in shown.splitlines() if line.startswith("║>"))
            assert f"{expected}:" in line
        await pilot.press("pagedown")
        await pilot.pause()
        assert box_of(app).cursor not in {"models", "contracts"}
        await pilot.press("g")
        await pilot.click(ClassicBox, offset=(10, 7))
        await pilot.pause()
        assert box_of(app).cursor == "threats"


async def test_the_cursor_stays_on_its_task_when_the_run_goes_on(open_app: OpenApp) -> None:
    app = open_app(classic=True)
    async with app.run_test(size=USUAL) as pilot:
        await up(pilot)
        await pilot.press("j")
        before = states.busy()
        first, *others = before.tasks
        changed = replace(first, activity="Running the linter", progress=0.9)
        session_of(app).publish(replace(before, tasks=(changed, *others), seq=before.seq + 1))
        await until_shown(pilot, "models: Running the linter")
        assert "90%" in screen_text(app)
        assert box_of(app).cursor == "contracts"


async def test_only_lines_that_differ_are_painted_anew(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_app(classic=True)
    async with app.run_test(size=USUAL) as pilot:
        await up(pilot)
        painted: list[int] = []
        original = ClassicBox.render_line

        def counting(box: ClassicBox, y: int) -> object:
            painted.append(y)
            return original(box, y)

        monkeypatch.setattr(ClassicBox, "render_line", counting)
        before = states.busy()
        tasks = list(before.tasks)
        tasks[1] = replace(tasks[1], activity="Running the linter")
        session_of(app).publish(replace(before, tasks=tuple(tasks), seq=before.seq + 1))
        await until_shown(pilot, "contracts: Running the linter")
        assert set(painted) == {6}


async def test_an_engine_that_stopped_is_told_in_the_box(open_app: OpenApp) -> None:
    app = open_app(classic=True)
    async with app.run_test(size=USUAL) as pilot:
        await up(pilot)
        session_of(app).over.set()
        await until(pilot, lambda: app.engine_error)
        await until_shown(pilot, "✗ ")


def between(app: PexApp, side: str) -> list[str]:
    """Return the lines of the screen that begin with a side of the box."""
    return [line for line in screen_text(app).splitlines() if line[0] == side]


@pytest.mark.parametrize("symbols", SymbolName)
@pytest.mark.parametrize("build", [states.crowded, states.hostile, states.empty])
async def test_the_sides_stay_straight_at_every_size(
    open_app: OpenApp, build: object, symbols: SymbolName
) -> None:
    assert callable(build)
    app = open_app(build(), classic=True, symbols=symbols)
    side = "|" if symbols is SymbolName.ASCII else "║"
    async with app.run_test(size=USUAL) as pilot:
        await up(pilot)
        for width, height in [SMALL, LARGE, (41, 16), (100, 30), USUAL]:
            await pilot.resize_terminal(width, height)
            wide = {width}
            await until(pilot, lambda: {*map(cell_len, between(app, side))} == wide)  # noqa: B023
            lines = between(app, side)
            assert len(lines) >= 4
            assert {line[-1] for line in lines} == {side}
            text = screen_text(app).replace("\n", "")
            assert text.isprintable()
            assert "pwned" not in text


async def test_without_colour_bars_and_cursor_can_be_read(
    logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    session = ScriptedSession(states.busy(), logs)
    app = app_on(ScriptedService(session), start=session, classic=True, now=lambda: states.NOW)
    async with app.run_test(size=USUAL) as pilot:
        await up(pilot)
        line = next(line for line in screen_text(app).splitlines() if "models:" in line)
        assert line.startswith("║>[T1]  ⚡ swebok-engineer")
        assert "██████████████░░░░░" in line


@pytest.mark.parametrize("theme", ["paper", "contrast", "nord"])
async def test_a_theme_can_be_changed_while_the_box_is_shown(open_app: OpenApp, theme: str) -> None:
    app = open_app(classic=True)
    async with app.run_test(size=USUAL) as pilot:
        await up(pilot)
        before = box_of(app).render_line(5)
        app.theme = theme
        await until(pilot, lambda: box_of(app).render_line(5) != before)


async def test_another_run_is_measured_anew(open_app: OpenApp) -> None:
    app = open_app(classic=True)
    async with app.run_test(size=USUAL) as pilot:
        await up(pilot)
        other: RunState = replace(states.broken(), seq=999)
        app.open_session(ScriptedSession(other))
        await until_shown(pilot, "build: Gate failed")
        assert box_of(app).cursor == "build"
        await until_shown(pilot, "CPU: –")


async def test_without_the_option_the_monitor_is_the_other_one(open_app: OpenApp) -> None:
    app = open_app()
    async with app.run_test(size=USUAL) as pilot:
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--classic"],
        ["run", "plan.yaml", "--classic"],
        ["--classic", "run", "plan.yaml"],
        ["resume", "--classic"],
        ["attach", "7f3a", "--classic"],
        ["demo", "--classic"],
    ],
    ids=" ".join,
)
def test_every_command_that_opens_the_app_takes_the_option(arguments: list[str]) -> None:
    assert build_parser().parse_args(arguments).classic
    without = [one for one in arguments if one != "--classic"]
    assert not hasattr(build_parser().parse_args(without), "classic")
