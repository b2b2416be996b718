import pytest
from textual.widgets._footer import FooterKey

from pex_tui.tui.app import PexApp
from pex_tui.tui.screens.help import HelpScreen
from pex_tui.tui.widgets.key_footer import KeyFooter
from tests.tui import states
from tests.tui.drafts import twelve
from tests.tui.hosts import ScriptedSession, ScriptedWorkshop, app_on
from tests.tui.waiting import until


def told(app: PexApp) -> list[str]:
    """Return the footer's keys, with their words."""
    keys = app.screen.query_one(KeyFooter).query(FooterKey)
    return [f"{key.key_display} {key.description}".strip() for key in keys]


@pytest.fixture
def app() -> PexApp:
    service = ScriptedWorkshop(ScriptedSession(states.fresh()))
    return app_on(service, start=twelve(), symbols="line", now=lambda: states.NOW)


async def test_with_room_every_key_of_a_screen_is_told(app: PexApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "q Leave" in told(app))
        assert {"o Save", "? Help", "^p palette"} <= set(told(app))


@pytest.mark.parametrize("width", [24, 40, 60, 80, 100])
async def test_no_key_is_cut_and_help_and_leaving_are_always_there(app: PexApp, width: int) -> None:
    async with app.run_test(size=(width, 24)) as pilot:
        await until(pilot, lambda: "q Leave" in told(app))
        assert "? Help" in told(app)
        keys = list(app.screen.query_one(KeyFooter).query(FooterKey))
        assert all(key.region.right <= width for key in keys)
        assert not any(a.region.overlaps(b.region) for a in keys for b in keys if a is not b)


async def test_keys_come_back_when_there_is_room_again(app: PexApp) -> None:
    async with app.run_test(size=(60, 24)) as pilot:
        await until(pilot, lambda: "q Leave" in told(app))
        assert "w What-if" not in told(app)
        await pilot.resize_terminal(120, 36)
        await until(pilot, lambda: "w What-if" in told(app))


async def test_the_widgets_of_keys_that_stay_the_same_are_kept(app: PexApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "q Leave" in told(app))
        footer = app.screen.query_one(KeyFooter)
        before = list(footer.query(FooterKey))
        app.screen.refresh_bindings()
        await pilot.pause()
        await pilot.pause()
        assert list(footer.query(FooterKey)) == before


async def test_a_click_on_a_key_presses_it(app: PexApp) -> None:
    async with app.run_test(size=(60, 24)) as pilot:
        await until(pilot, lambda: "? Help" in told(app))
        keys = app.screen.query_one(KeyFooter).query(FooterKey)
        await pilot.click(next(key for key in keys if key.action == "help"))
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
