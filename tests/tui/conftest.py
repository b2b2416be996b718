"""The app over a scripted run, at a fixed time, size and theme."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual._compositor import Compositor
from textual.app import App
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.widgets import Input

from pex_tui.core.model.state import RunState
from pex_tui.tui.app import PexApp
from tests.tui import states
from tests.tui.hosts import ScriptedService, ScriptedSession, app_on
from tests.tui.waiting import screen_text

OpenApp = Callable[..., PexApp]

LOG = """\
\x1b[1mreading\x1b[0m src/pay/models.py
3 fields need a currency
\x1b[32m14 passed\x1b[0m in 0.41s
editing src/pay/models.py
"""


@pytest.fixture(autouse=True)
def _still_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("locale.getencoding", lambda: "UTF-8")
    # A blinking cursor would be in pictures.
    monkeypatch.setattr(Input, "_toggle_cursor", lambda _: None)


_RULES: dict[Any, list[RuleSet]] = {}


@pytest.fixture(autouse=True)
def _styles_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody changes the rules of a style sheet, and each app would parse the same ones."""
    parse = Stylesheet._parse_rules

    def parse_once(sheet: Stylesheet, *given: Any, **named: Any) -> list[RuleSet]:
        key = (frozenset(sheet._variables.items()), given, *named.items())
        if key not in _RULES:
            _RULES[key] = parse(sheet, *given, **named)
        return _RULES[key]

    monkeypatch.setattr(Stylesheet, "_parse_rules", parse_once)


@pytest.fixture(autouse=True)
def _painted_when_looked_at(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paint for pictures and `screen_text`, and once at the end; a terminal is not there.

    A test that is marked `paints` looks at painting itself.
    """
    if request.node.get_closest_marker("paints"):
        return

    def put_off(compositor: Compositor, *, full: bool = False, **given: Any) -> object:
        if full:
            return paint(compositor, full=True, **given)
        compositor._dirty_regions.clear()
        return None

    async def paint_and_end(app: PexApp) -> None:
        if app._running and app._screen_stacks.get(app._current_mode):
            screen_text(app)
        await end(app)

    paint, end = Compositor.render_update, App._shutdown
    monkeypatch.setattr(Compositor, "render_update", put_off)
    monkeypatch.setattr(App, "_shutdown", paint_and_end)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A folder with a log of the first attempt of `models`."""
    (tmp_path / "models-1.log").write_text(LOG, encoding="utf-8")
    return tmp_path


@pytest.fixture
def open_app(logs: Path) -> OpenApp:
    """The app, opened on a scripted run in the given state."""

    def make(state: RunState | None = None, *, classic: bool = False, **options: str) -> PexApp:
        run = states.busy() if state is None else state
        session = ScriptedSession(run, logs)
        return app_on(
            ScriptedService(session),
            start=session,
            symbols=options.get("symbols", "line"),
            theme=options.get("theme", "ember"),
            classic=classic,
            refresh_seconds=3600.0,  # one measurement, however slow the machine is
            now=lambda: run.now,
        )

    return make


def session_of(app: PexApp) -> ScriptedSession:
    """Return the app's scripted run."""
    assert isinstance(app.session, ScriptedSession)
    return app.session
