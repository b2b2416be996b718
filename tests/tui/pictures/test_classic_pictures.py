"""Pictures of the classic monitor, from fixed runs."""

from collections.abc import Callable
from typing import Any

import pytest

from pex_tui.core.model.state import RunState
from tests.tui import states
from tests.tui.conftest import OpenApp

SMALL, USUAL, LARGE = (80, 24), (120, 36), (200, 50)


@pytest.mark.parametrize("size", [SMALL, USUAL], ids=["80x24", "120x36"])
def test_classic(snap_compare: Any, open_app: OpenApp, size: tuple[int, int]) -> None:
    app = open_app(classic=True, symbols="emoji")
    assert snap_compare(app, terminal_size=size)


@pytest.mark.parametrize("symbols", ["line", "ascii"])
def test_classic_in_other_symbols(snap_compare: Any, open_app: OpenApp, symbols: str) -> None:
    app = open_app(classic=True, symbols=symbols)
    assert snap_compare(app, terminal_size=SMALL)


@pytest.mark.parametrize("build", [states.broken, states.finished], ids=["broken", "finished"])
def test_classic_of_a_run_that_is_over(
    snap_compare: Any, open_app: OpenApp, build: Callable[[], RunState]
) -> None:
    app = open_app(build(), classic=True, symbols="emoji")
    assert snap_compare(app, terminal_size=USUAL)


def test_classic_in_a_light_theme(snap_compare: Any, open_app: OpenApp) -> None:
    app = open_app(classic=True, symbols="emoji", theme="paper")
    assert snap_compare(app, terminal_size=USUAL)


def test_classic_with_more_tasks_than_lines(snap_compare: Any, open_app: OpenApp) -> None:
    app = open_app(states.crowded(), classic=True, symbols="emoji")
    assert snap_compare(app, terminal_size=SMALL, press=["G", "k", "k"])


def test_classic_on_a_large_terminal(snap_compare: Any, open_app: OpenApp) -> None:
    app = open_app(states.crowded(), classic=True, symbols="emoji")
    assert snap_compare(app, terminal_size=LARGE, press=["j"])
