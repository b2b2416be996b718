"""Pictures of the monitor, from fixed runs."""

from collections.abc import Callable
from typing import Any

import pytest

from pex_tui.core.model.state import RunState
from tests.tui import states
from tests.tui.conftest import OpenApp

SMALL, USUAL, LARGE = (80, 24), (120, 36), (200, 50)


@pytest.mark.parametrize("size", [SMALL, USUAL], ids=["80x24", "120x36"])
@pytest.mark.parametrize(
    "build", [states.busy, states.empty, states.broken], ids=["busy", "empty", "broken"]
)
def test_monitor(
    snap_compare: Any, open_app: OpenApp, build: Callable[[], RunState], size: tuple[int, int]
) -> None:
    assert snap_compare(open_app(build()), terminal_size=size)


@pytest.mark.parametrize("theme", ["paper", "contrast", "nord"])
def test_monitor_in_other_themes(snap_compare: Any, open_app: OpenApp, theme: str) -> None:
    assert snap_compare(open_app(theme=theme), terminal_size=USUAL)


@pytest.mark.parametrize("symbols", ["emoji", "ascii"])
def test_monitor_in_other_symbols(snap_compare: Any, open_app: OpenApp, symbols: str) -> None:
    assert snap_compare(open_app(symbols=symbols), terminal_size=USUAL)


def test_monitor_on_a_large_terminal(snap_compare: Any, open_app: OpenApp) -> None:
    assert snap_compare(open_app(states.crowded()), terminal_size=LARGE)


def test_monitor_of_a_finished_run(snap_compare: Any, open_app: OpenApp) -> None:
    assert snap_compare(open_app(states.finished()), terminal_size=USUAL)


@pytest.mark.parametrize("size", [SMALL, USUAL], ids=["80x24", "120x36"])
def test_cards_of_the_slots(snap_compare: Any, open_app: OpenApp, size: tuple[int, int]) -> None:
    assert snap_compare(open_app(states.calm()), terminal_size=size, press=["v"])


def test_facts_of_a_task(snap_compare: Any, open_app: OpenApp) -> None:
    assert snap_compare(open_app(), terminal_size=USUAL, press=["j", "j", "j", "j", "4"])


def test_the_question_before_leaving(snap_compare: Any, open_app: OpenApp) -> None:
    assert snap_compare(open_app(), terminal_size=USUAL, press=["q"])


@pytest.mark.parametrize("size", [SMALL, USUAL], ids=["80x24", "120x36"])
def test_the_keys_of_the_monitor(
    snap_compare: Any, open_app: OpenApp, size: tuple[int, int]
) -> None:
    assert snap_compare(open_app(), terminal_size=size, press=["question_mark"])


@pytest.mark.parametrize("size", [SMALL, USUAL], ids=["80x24", "120x36"])
def test_monitor_with_questions(
    snap_compare: Any, open_app: OpenApp, size: tuple[int, int]
) -> None:
    assert snap_compare(open_app(states.asking()), terminal_size=size)


@pytest.mark.parametrize("size", [SMALL, USUAL], ids=["80x24", "120x36"])
def test_inbox(snap_compare: Any, open_app: OpenApp, size: tuple[int, int]) -> None:
    assert snap_compare(open_app(states.asking()), terminal_size=size, press=["i", "j"])


def test_empty_inbox(snap_compare: Any, open_app: OpenApp) -> None:
    assert snap_compare(open_app(), terminal_size=USUAL, press=["i"])


def test_a_message_to_an_agent(snap_compare: Any, open_app: OpenApp) -> None:
    assert snap_compare(open_app(states.asking()), terminal_size=USUAL, press=["m", "h", "i"])
