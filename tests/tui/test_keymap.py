"""Keys that the configuration remaps."""

from importlib import import_module

import pytest
from textual.binding import Binding
from textual.screen import Screen

from pex_tui.application.project.appearance import check_appearance
from pex_tui.core.events.run_events import PauseRequested
from pex_tui.core.model.ids import TaskId
from pex_tui.errors import UserError
from pex_tui.settings.load import load_settings
from pex_tui.settings.model import Settings
from pex_tui.settings.sections import Monitoring
from pex_tui.tui.app import PexApp
from pex_tui.tui.keymap import check_keymap, key_ids
from pex_tui.tui.modes import MODES
from pex_tui.tui.screens.monitor import MonitorScreen
from pex_tui.tui.widgets.agents import AgentList
from tests.tui import states
from tests.tui.hosts import ScriptedService, ScriptedSession, app_on
from tests.tui.waiting import until


def ids() -> set[str]:
    """Return the ids of all bindings of the app, its screens and the list."""
    kinds: list[type] = [PexApp, AgentList]
    for mode in MODES:
        module = import_module(f"pex_tui.tui.screens.{mode.name}")
        kinds += [
            kind
            for kind in vars(module).values()
            if isinstance(kind, type) and issubclass(kind, Screen) and "BINDINGS" in vars(kind)
        ]
    kinds += MonitorScreen.__mro__[1:2]
    bindings = [one for kind in kinds for one in vars(kind).get("BINDINGS", ())]
    return {one.id for one in bindings if isinstance(one, Binding) and one.id}


def test_every_key_that_can_be_moved_is_known_by_its_name() -> None:
    assert ids() == key_ids()


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (Settings(keymap={"agent.retry": "p"}), "p in the monitor is for agent.pause"),
        (Settings(monitoring=Monitoring(theme="mud")), 'there is no theme "mud"'),
    ],
)
def test_what_the_app_would_not_open_with_is_refused_without_it(
    settings: Settings, problem: str
) -> None:
    with pytest.raises(UserError) as refused:
        check_appearance(settings, {"HOME": "nowhere"})
    assert any(problem in line for line in refused.value.lines)


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("keymap.run.land=p", "--set keymap.run.land: keymap: p in the monitor is for agent.pause"),
        ("monitoring.theme=mud", '--set monitoring.theme: there is no theme "mud"'),
    ],
)
def test_what_the_app_would_not_open_with_is_named_by_its_place(
    override: str, problem: str
) -> None:
    settings = load_settings(None, (override,), {"HOME": "/nowhere"})

    with pytest.raises(UserError) as refused:
        check_appearance(settings, {"HOME": "/nowhere"})
    assert refused.value.lines[0].startswith(problem)


async def test_a_moved_key_does_what_the_old_one_did() -> None:
    session = ScriptedSession(states.busy())
    app = app_on(
        ScriptedService(session),
        start=session,
        symbols="line",
        keymap={"agent.pause": "z"},
        now=lambda: states.NOW,
    )
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen) and app.screen.selected())
        await pilot.press("p")
        await pilot.pause()
        assert session.posted == []
        await pilot.press("z")
        await until(pilot, lambda: session.posted)

    assert session.posted == [PauseRequested(task=TaskId("models"), by="you")]


def test_a_name_that_is_no_key_is_refused_with_what_it_may_have_meant() -> None:
    with pytest.raises(UserError) as refused:
        check_keymap({"agent.puase": "z", "zzz": "y"}, {})

    first, second = refused.value.problems
    assert first == 'keymap: there is no key "agent.puase". Did you mean "agent.pause"?'
    assert second.startswith('keymap: there is no key "zzz". There are: agent.abort')


def problems_of(**keymap: str) -> list[str]:
    with pytest.raises(UserError) as refused:
        check_keymap({name.replace("_", ".", 1): key for name, key in keymap.items()}, {})
    return [problem.removeprefix("keymap: ") for problem in refused.value.problems]


def test_a_key_that_two_actions_would_have_is_refused_with_both_names() -> None:
    assert problems_of(agent_retry="p") == [
        "p in the monitor is for agent.pause; agent.retry can't have it as well.",
        "p in the classic monitor is for agent.pause; agent.retry can't have it as well.",
    ]
    assert "agent.boost" in problems_of(agent_boost="z", agent_pause="z")[0]


@pytest.mark.parametrize(
    ("name", "key", "other"),
    [
        ("agent_retry", "q", "app.leave"),
        ("home_plan", "question_mark", "app.help"),
        ("home_plan", "?", "app.help"),
        ("app_help", "n", "home.goal"),
        ("plan_edit", "ctrl+q", "app.quit"),
        ("agent_retry", "space", "agents.mark"),
        ("agent_retry", "j", "Down"),
        ("list_sort", "x,f3", "app.monitor"),
    ],
)
def test_keys_of_the_app_the_screen_and_its_list_are_taken_alike(
    name: str, key: str, other: str
) -> None:
    assert any(other in problem for problem in problems_of(**{name: key}))


def test_every_problem_of_a_keymap_is_reported_at_once() -> None:
    found = problems_of(agent_retry="p", agent_puase="z", run_land="contrl+l", app_quit="z")
    assert len(found) == 5
    assert any('run.land: "contrl+l" is not a key' in problem for problem in found)
    assert any("app.quit: z is needed for typing" in problem for problem in found)


def test_keys_may_change_places_or_be_the_same_on_two_screens() -> None:
    check_keymap({}, {})
    check_keymap({"agent.retry": "p", "agent.pause": "r"}, {})
    check_keymap({"agent.retry": "ctrl+r", "plan.redo": "ctrl+y", "home.demo": "f8"}, {})


async def test_a_key_that_can_do_nothing_now_says_why() -> None:
    app = app_on(ScriptedService(), start=ScriptedSession(states.fresh()))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))
        await pilot.press("m")
        await until(pilot, lambda: bool(app._notifications))

    assert [note.message for note in app._notifications] == [
        "Message: no agent of this run accepts messages now."
    ]
