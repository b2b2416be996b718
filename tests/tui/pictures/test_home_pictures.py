"""Pictures of home, history and help."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from pex_tui.core.events.event_codec import decode
from pex_tui.core.model.ids import RunId
from pex_tui.core.model.state import Outcome
from pex_tui.engine.session import CheckLevel, DoctorCheck, RunFigures, RunSummary
from pex_tui.reports.report import make_report
from pex_tui.reports.text import render_text
from pex_tui.tui.app import PexApp
from tests.tui import states
from tests.tui.hosts import ScriptedService, app_on
from tests.tui.waiting import until_shown

SMALL, USUAL = (80, 24), (120, 36)
SIZES = pytest.mark.parametrize("size", [SMALL, USUAL], ids=["80x24", "120x36"])
OK = (
    DoctorCheck(CheckLevel.OK, "git", "/usr/bin/git"),
    DoctorCheck(CheckLevel.OK, "repository", "shop: main@9f2c1ab, clean"),
)
BROKEN = (
    *OK,
    DoctorCheck(CheckLevel.WARN, "identity", "git does not know who you are", "Set user.name."),
    DoctorCheck(CheckLevel.BAD, "state", "can't be written", "Make ~/.local/state writable."),
    DoctorCheck(
        CheckLevel.OK,
        "agents",
        "no coding agent found; any command is an agent as well",
        "For agents with a model, put one of claude, claude-agent-acp, codex-acp, codex, gemini, "
        "opencode on the PATH, or name your own under agents.runners in the configuration.",
    ),
)


DEMO = (Path(__file__).parents[2] / "fixtures" / "demo-v1.jsonl").read_text(encoding="utf-8")
REPORT = render_text(make_report(decode(json.loads(row), version=1) for row in DEMO.splitlines()))


@pytest.fixture(autouse=True)
def _one_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def app(*outcomes: Outcome | None, checks: tuple[DoctorCheck, ...] = OK) -> PexApp:
    service = ScriptedService()
    service.findings = checks
    service.report_text = REPORT
    service.summaries = tuple(
        RunSummary(
            RunId(f"{number:x}a{number}c"),
            "Harden the public API",
            states.START - 3600.0 * number,
            outcome,
            9 - number,
            9,
            300.0 + number,
            open_conflicts=int(outcome is Outcome.CONFLICTS),
            is_live=outcome is None,
            figures=RunFigures(None, 1.5 + number / 4, number % 3) if number else None,
        )
        for number, outcome in enumerate(outcomes)
    )
    return app_on(service, symbols="line", now=lambda: states.NOW)


@SIZES
def test_home_of_an_empty_repository(snap_compare: Any, size: tuple[int, int]) -> None:
    assert snap_compare(app(), terminal_size=size)


def test_an_agent_at_work_on_a_plan(snap_compare: Any) -> None:
    service = ScriptedService()
    service.planner_words = (
        "meta-agent (claude) plans, round 1 of at most 3",
        "Read src/shop/orders.py",
        "its plan has 1 problem: the tasks code and docs need each other.",
        "meta-agent (claude) plans, round 2 of at most 3",
    )

    async def ask_for_a_plan(pilot: Pilot[None]) -> None:
        await pilot.press("n", *"Harden", "enter")
        await until_shown(pilot, "round 2")

    planning = app_on(service, symbols="line", now=lambda: states.NOW)
    assert snap_compare(planning, terminal_size=SMALL, run_before=ask_for_a_plan)


@SIZES
def test_home_with_runs(snap_compare: Any, size: tuple[int, int]) -> None:
    assert snap_compare(app(None, *Outcome), terminal_size=size)


@SIZES
def test_home_with_problems(snap_compare: Any, size: tuple[int, int]) -> None:
    assert snap_compare(app(checks=BROKEN), terminal_size=size)


@SIZES
def test_history(snap_compare: Any, size: tuple[int, int]) -> None:
    assert snap_compare(app(*Outcome), terminal_size=size, press=["f5", "j"])


@SIZES
def test_help(snap_compare: Any, size: tuple[int, int]) -> None:
    assert snap_compare(app(Outcome.OK), terminal_size=size, press=["question_mark"])
