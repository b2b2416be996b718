"""All keys of one write: those after a key that opens something go into what it opened."""

import ast
import asyncio
import inspect
import math
from collections.abc import Iterator
from importlib import import_module

import pytest
from textual import events
from textual.binding import Binding
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input, TextArea

from pex_tui.core.model.ids import RunId
from pex_tui.core.model.state import Outcome
from pex_tui.engine.session import Planning, RunSummary
from pex_tui.tui.app import PexApp
from pex_tui.tui.keyboard.app_keys import APP_KEYS
from pex_tui.tui.look import Look
from pex_tui.tui.modes import CLASSIC, MODES
from pex_tui.tui.opening import Opened, OpeningScreen, Start
from pex_tui.tui.screens.monitor import MonitorScreen
from pex_tui.tui.screens.plan import PlanScreen
from tests.tui import states
from tests.tui.drafts import small, text_conflict
from tests.tui.hosts import ScriptedService, ScriptedSession, app_on
from tests.tui.waiting import until

TYPED = "nabdeop"
"""Keys typed after the key; each letter has an effect on some screen."""
DIALOGS_IGNORE = "pab"
AT_ONCE = frozenset({"help", "command_palette", "leave", "filter", "conflict", "warnings"})
"""Actions that show something without being commands: they only push or focus."""
OPENS_FIELD = {
    "home": {"new_plan", "open_plan"},
    "plan": {"edit", "new", "save"},
    "monitor": {"filter", "message", "command_palette"},
    "history": {"export"},
}
SILENT = frozenset({"conflict", "rerun", "edit"})  # may have nothing to show
SHOWS_RUN = frozenset({"approve", "open_run"})  # where the keys then act, as they should
SUMMARY = RunSummary(RunId("7f3a"), "Refunds", 1.0, Outcome.FAILED, 1, 2, 60.0)


@pytest.fixture(autouse=True)
def _keys_wait_on_a_machine_of_any_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pex_tui.tui.keyboard.typed_ahead._LONGEST_HOLD_SECONDS", math.inf)


def app_at(place: str) -> PexApp:
    """Return the app, opened on that screen as far as possible."""
    session = ScriptedSession(states.asking() if place == "inbox" else states.busy())
    session.conflict_sides = text_conflict()
    service = ScriptedService(session)
    service.summaries = (SUMMARY,)
    service.draft = small()
    starts: dict[str, Start] = {"home": "home", "history": "home", "plan": small()}
    start, is_classic = starts.get(place, session), place == "classic"
    return app_on(service, start=start, classic=is_classic, symbols="line", now=lambda: states.NOW)


LEADS_TO = {"history": "f5", "conflict": "f4", "inbox": "f6"}
SCREENS = tuple(mode.name for mode in (*MODES, CLASSIC))


def kind_of(place: str) -> type[Screen[object]]:
    found = getattr(import_module(f"pex_tui.tui.screens.{place}"), f"{place.title()}Screen")
    assert isinstance(found, type)
    assert issubclass(found, Screen)
    return found


def send(app: PexApp, *keys: str) -> None:
    """Send all keys at once, as the terminal's bytes are read in one go."""
    for key in keys:
        name = _character_to_key(key) if len(key) == 1 else key
        app.post_message(events.Key(name, key if len(key) == 1 else None))


async def calm(pilot: Pilot[None]) -> None:
    app = pilot.app
    assert isinstance(app, PexApp)
    await pilot.pause()
    await until(pilot, lambda: app.typed.is_calm)


def openers(place: str) -> Iterator[Binding]:
    """Yield every binding of a screen whose action opens something."""
    kind = kind_of(place)
    bindings = [*APP_KEYS] if place == "monitor" else []
    for one in kind.__mro__:
        if one.__module__.startswith("pex_tui"):
            bindings += vars(one).get("BINDINGS", ())
    for binding in bindings:
        assert isinstance(binding, Binding)
        action = binding.action.partition("(")[0]
        opens = getattr(getattr(kind, f"action_{action}", None), "is_command", False)
        if opens or action in AT_ONCE:
            yield binding


@pytest.mark.parametrize("place", SCREENS)
async def test_keys_behind_one_that_opens_something_do_not_reach_the_screen_below(
    place: str,
) -> None:
    app = app_at(place)
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: hasattr(app, "service"))
        await pilot.pause()
        for binding in openers(place):
            await back_at(pilot, app, place)
            await check_typed_behind(pilot, app, place, binding)


async def back_at(pilot: Pilot[None], app: PexApp, place: str) -> None:
    """Wait for the original screen, with nothing open over it."""
    while len(app.screen_stack) > 1:
        app.screen.dismiss(None)
        await pilot.pause()
    app.action_show("monitor" if place == "classic" else place)
    await until(pilot, lambda: isinstance(app.screen, kind_of(place)))
    if place == "monitor":
        app.screen.query_one("AgentList").focus()
    if isinstance(app.session, ScriptedSession):
        app.session.posted.clear()
    await calm(pilot)


async def check_typed_behind(pilot: Pilot[None], app: PexApp, place: str, binding: Binding) -> None:
    action, below = binding.action.partition("(")[0], app.screen
    if below.check_action(action, ()) is not True:
        return  # disabled in this state
    is_field = action in OPENS_FIELD.get(place, ())
    typed = TYPED if is_field else DIALOGS_IGNORE

    send(app, binding.key.partition(",")[0], *typed)
    await calm(pilot)

    if is_field:
        field = app.focused
        assert isinstance(field, Input | TextArea), binding
        assert typed in (field.value if isinstance(field, Input) else field.text), binding
    elif app.screen is below:
        assert action in SILENT, binding
    if isinstance(app.session, ScriptedSession) and action not in SHOWS_RUN:
        assert app.session.posted == [], binding


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        (("f3", "slash", *"play"), "monitor"),
        (("f1", "n", *"Fix odd bugs"), "home"),
        (("f2", "n", *"abcde"), "plan"),
        (("f5", "x", *"out.html"), "history"),
        (("question_mark", "escape", "slash", *"play"), "monitor"),
        (("colon", "escape", "slash", *"play"), "monitor"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value[:2]),
)
async def test_keys_go_through_screens_and_dialogs_into_the_field_at_their_end(
    keys: tuple[str, ...], place: str
) -> None:
    app = app_at("monitor")
    app.draft = small()
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))
        await calm(pilot)

        send(app, *keys)
        await calm(pilot)

        assert isinstance(app.screen_stack[0], kind_of(place))
        assert isinstance(app.focused, Input)
        assert app.focused.value == "".join(key for key in keys[2:] if len(key) == 1)


async def test_what_is_pasted_behind_a_key_goes_where_typed_keys_go() -> None:
    app = app_at("home")
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, kind_of("home")))
        await calm(pilot)
        send(app, "n")
        app.post_message(events.Paste("Fix odd bugs"))
        send(app, "!")
        await calm(pilot)
        assert isinstance(app.focused, Input)
        assert app.focused.value == "Fix odd bugs!"


async def test_a_command_that_is_under_way_is_not_begun_again_nor_cancelled() -> None:
    app = app_at("plan")
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))
        await calm(pilot)
        screen = app.screen
        assert isinstance(screen, PlanScreen)
        screen.action_drop()
        screen.action_drop()
        await until(pilot, lambda: len(app.screen_stack) == 2)
        await pilot.pause()
        assert len(app.screen_stack) == 2


async def test_keys_that_leave_pass_those_that_wait_and_drop_them() -> None:
    app = app_at("monitor")
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))
        await calm(pilot)
        send(app, "a", "y", "ctrl+q")
        await calm(pilot)
        assert type(app.screen).__name__ == "LeaveScreen"
        assert isinstance(app.session, ScriptedSession)
        assert app.session.posted == []


def test_every_action_that_asks_or_opens_is_a_command() -> None:
    """An action that pushes a screen and waits for it would be cancelled by the next key."""
    for place in (*SCREENS, "steering", "task_form"):
        module = import_module(f"pex_tui.tui.screens.{place}")
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.AsyncFunctionDef) and node.name.startswith("action_"):
                text = ast.unparse(node)
                asks = any(word in text for word in ("push_screen_wait", "_confirmed", "Opened("))
                is_command = "command" in map(ast.unparse, node.decorator_list)
                assert is_command or not asks, f"{place}.{node.name}"


@pytest.mark.parametrize(
    ("place", "keys", "typed"),
    [("home", ("n", *"Fix odd bugs"), "Fix odd bugs"), ("monitor", ("slash", *"play"), "play")],
)
async def test_keys_typed_while_the_repository_is_read_reach_the_first_screen(
    place: str, keys: tuple[str, ...], typed: str
) -> None:
    is_read = asyncio.Event()
    session = ScriptedSession(states.busy())

    async def opening(_: Planning) -> Opened:
        await is_read.wait()
        return Opened(ScriptedService(), Look(), "home" if place == "home" else session)

    app = PexApp(opening)
    async with app.run_test(size=(120, 36)) as pilot:
        send(app, *keys)
        await pilot.pause()
        assert isinstance(app.screen, OpeningScreen)
        is_read.set()
        await until(pilot, lambda: isinstance(app.screen_stack[0], kind_of(place)))
        await calm(pilot)

        assert isinstance(app.focused, Input)
        assert app.focused.value == typed
        assert session.posted == []


async def test_while_the_repository_is_read_the_app_can_be_left() -> None:
    async def opening(_: Planning) -> Opened:
        await asyncio.Event().wait()
        raise AssertionError

    app = PexApp(opening)
    async with app.run_test(size=(120, 36)) as pilot:
        send(app, "n", "ctrl+c")
        await until(pilot, lambda: app.controller.is_leaving)


@pytest.mark.parametrize("place", ["home", "history"])
async def test_keys_typed_while_a_list_of_runs_is_read_act_on_its_first_run(place: str) -> None:
    is_read = asyncio.Event()

    class SlowService(ScriptedService):
        async def runs(self) -> tuple[RunSummary, ...]:
            await is_read.wait()
            return (SUMMARY,)

    app = app_on(SlowService())
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, kind_of("home")))
        send(app, *(["enter"] if place == "home" else ["f5", "x"]))
        await pilot.pause()
        is_read.set()
        await until(pilot, lambda: len(app.screen_stack) == 2)
