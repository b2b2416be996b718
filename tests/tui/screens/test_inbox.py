"""Agents' questions: shown, answered, and never silently skipped."""

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.widgets import Input

from pex_tui.core.events.agent_events import MessageSent, PermissionDecided
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.state import LandStatus, Outcome
from pex_tui.core.model.task_state import Verdict
from pex_tui.tui.app import PexApp
from pex_tui.tui.attention.alerts import alert
from pex_tui.tui.attention.needs import Attention
from pex_tui.tui.screens.inbox import InboxScreen
from pex_tui.tui.screens.modals import LineScreen
from pex_tui.tui.screens.monitor import MonitorScreen
from tests.tui import states
from tests.tui.conftest import OpenApp, session_of
from tests.tui.waiting import screen_text, until, until_shown

USUAL = (120, 36)


async def inbox(pilot: Pilot[None]) -> None:
    """Open the inbox by its key."""
    await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))
    await pilot.press("i")
    await until(pilot, lambda: isinstance(pilot.app.screen, InboxScreen))
    await until_shown(pilot, "Details")


@pytest.mark.parametrize(
    ("keys", "task", "request_id", "verdict"),
    [
        (["a"], "models", "q7", Verdict.ALLOW_ONCE),
        (["A"], "models", "q7", Verdict.ALLOW_ALWAYS),
        (["j", "d"], "threats", "q1", Verdict.DENY),
        (["j", "k", "d"], "models", "q7", Verdict.DENY),
    ],
)
async def test_a_key_answers_the_question_under_the_cursor(
    open_app: OpenApp, keys: list[str], task: str, request_id: str, verdict: Verdict
) -> None:
    app = open_app(states.asking())
    async with app.run_test(size=USUAL) as pilot:
        await inbox(pilot)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await until(pilot, lambda: session_of(app).posted)

    assert session_of(app).posted == [PermissionDecided(TaskId(task), request_id, verdict, "you")]


async def test_what_is_answered_can_be_read_but_not_answered_again(open_app: OpenApp) -> None:
    app = open_app(states.asking())
    async with app.run_test(size=USUAL) as pilot:
        await inbox(pilot)
        await pilot.press("j", "j")
        await until_shown(pilot, "allowed once by you")
        await pilot.press("d")
        await pilot.pause()
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))

    assert session_of(app).posted == []


async def test_what_is_answered_stays_under_the_cursor_while_the_run_goes_on(
    open_app: OpenApp,
) -> None:
    app = open_app(states.asking())
    async with app.run_test(size=USUAL) as pilot:
        await inbox(pilot)
        await pilot.press("j", "j")
        await until_shown(pilot, "allowed once by you")
        later = replace(states.asking(), seq=states.asking().seq + 1)
        session_of(app).publish(later)
        await until(pilot, lambda: app.run_state == later)
        await pilot.pause()
        assert "allowed once by you" in screen_text(app)


async def test_a_new_question_shows_at_once_in_the_monitor_and_calls_for_the_user(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []
    monkeypatch.setattr(PexApp, "call_user", lambda _, text: called.append(text))
    app = open_app()
    async with app.run_test(size=USUAL) as pilot:
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))
        session_of(app).publish(states.asking())
        await until_shown(
            pilot, "models asks to run pip install pydantic, and 1 more wait: i answers"
        )
        assert "Asks to run pip install pydantic, 0:41" in screen_text(app)

    assert called == [
        "models asks to run pip install pydantic. i answers.",
        "threats asks to write reports/threats.md. i answers.",
    ]


async def test_an_inbox_without_a_run_says_what_it_is_for(open_app: OpenApp) -> None:
    app = open_app(states.fresh())
    async with app.run_test(size=USUAL) as pilot:
        await inbox(pilot)
        assert "No pending requests." in screen_text(app)


async def test_a_message_goes_to_the_agent_that_listens(open_app: OpenApp) -> None:
    app = open_app(states.asking())
    async with app.run_test(size=USUAL) as pilot:
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, LineScreen))
        app.screen.query_one(Input).value = "mind the rounding"
        await pilot.press("enter")
        await until(pilot, lambda: session_of(app).posted)

    assert session_of(app).posted == [MessageSent(TaskId("models"), "mind the rounding", "you")]


async def test_a_message_can_be_given_up_and_a_command_takes_none(open_app: OpenApp) -> None:
    app = open_app(states.asking())
    async with app.run_test(size=USUAL) as pilot:
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, LineScreen))
        await pilot.press("x", "escape")
        await until_shown(pilot, "Discard")
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))
        await pilot.press("G", "m")
        await pilot.pause()
        assert isinstance(app.screen, MonitorScreen)

    assert session_of(app).posted == []


def test_each_need_is_told_once_and_what_was_there_before_is_not_news() -> None:
    attention = Attention(states.calm())

    assert [need.text for need in attention.needs(states.asking())] == [
        "refunds and docs conflict in src/pay/api.py. c resolves it.",
        "models asks to run pip install pydantic. i answers.",
        "threats asks to write reports/threats.md. i answers.",
    ]
    assert attention.needs(states.asking()) == ()
    ended = attention.needs(replace(states.finished(), outcome=Outcome.GATE_FAILED))
    assert [(need.text, need.is_news) for need in ended] == [
        ("main is at 4f1c09e", True),
        ("Run 7f3a has ended: gate failed.", False),
    ]


def test_a_landing_on_the_users_branch_is_told_as_good_news() -> None:
    calm = states.calm()
    attention = Attention(calm)
    landed = replace(calm, land_status=LandStatus.LANDED, land_detail="main went forward by 2.")

    assert [(one.text, one.is_bad, one.is_urgent) for one in attention.needs(landed)] == [
        ("main went forward by 2.", False, False)
    ]
    assert attention.needs(landed) == ()


def test_many_notices_at_once_do_not_cover_the_screen() -> None:
    calm = states.calm()
    attention = Attention(calm)

    def told(count: int, seconds: float) -> list[str]:
        notices = (*calm.notices, *(f"notice {number}" for number in range(1, count + 1)))
        state = replace(calm, notices=notices, now=calm.now + seconds)
        return [need.text for need in attention.needs(state)]

    assert told(2, 0) == ["notice 1", "notice 2"]
    assert told(9, 1) == ["notice 3", "There are more notices than fit here; see the report."]
    assert told(12, 2) == []
    assert told(13, 20) == ["notice 13"]


@pytest.mark.parametrize(
    ("how", "environ", "sent"),
    [
        ("off", {"TERM_PROGRAM": "iTerm.app"}, ""),
        ("bell", {"TERM_PROGRAM": "iTerm.app"}, "\a"),
        ("desktop", {"TERM": "xterm-256color"}, "\a"),
        ("desktop", {"TERM_PROGRAM": "iTerm.app"}, "\x1b]9;pex-tui: a asks, now\x1b\\"),
        ("desktop", {"TERM": "foot"}, "\x1b]777;notify;pex-tui;a asks, now\x1b\\"),
        ("desktop", {"TERM": "xterm-kitty"}, "\x1b]99;;pex-tui: a asks, now\x1b\\"),
    ],
)
def test_the_terminal_is_called_in_a_way_it_knows(
    how: str, environ: dict[str, str], sent: str
) -> None:
    assert alert(how, "a asks; now", environ) == sent


def test_a_call_cannot_carry_commands_to_the_terminal() -> None:
    sent = alert("desktop", states.HOSTILE, {"TERM": "foot"})

    assert sent.count("\x1b") == 2
    assert "\a" not in sent
    assert "\x9b" not in sent
