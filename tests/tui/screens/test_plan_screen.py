from pathlib import Path

import pytest
from msgspec.structs import replace
from textual import events
from textual.pilot import Pilot
from textual.widgets import DataTable, Input, Static, TextArea

from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.plan import TaskSpec
from pex_tui.engine.session import PlanDraft
from pex_tui.planning.plan_file.edits import FIELDS
from pex_tui.tui.app import PexApp
from pex_tui.tui.screens.home import HomeScreen
from pex_tui.tui.screens.modals import ConfirmScreen, LineScreen, TextScreen
from pex_tui.tui.screens.monitor import MonitorScreen
from pex_tui.tui.screens.pick import PickScreen
from pex_tui.tui.screens.plan import PlanScreen
from pex_tui.tui.screens.task_form import TaskForm
from pex_tui.tui.widgets.graph import GraphView
from tests.tui import states
from tests.tui.drafts import plan_of, small, twelve
from tests.tui.hosts import ScriptedService, ScriptedSession, app_on
from tests.tui.waiting import screen_text, until, until_shown


@pytest.fixture
def service() -> ScriptedService:
    return ScriptedService(ScriptedSession(states.fresh()))


@pytest.fixture
def app(service: ScriptedService) -> PexApp:
    return app_on(service, start=twelve(), symbols="line", now=lambda: states.NOW)


def screen_draft(app: PexApp) -> PlanDraft | None:
    """Return the plan under review."""
    return app.draft


def screen_of(app: PexApp) -> PlanScreen:
    assert isinstance(app.screen, PlanScreen)
    return app.screen


async def test_enter_starts_the_run_and_shows_it(app: PexApp, service: ScriptedService) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))

        assert [draft.name for draft in service.started] == ["add-payments-api"]


async def test_space_switches_a_task_off_and_u_takes_it_back(app: PexApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pilot.press("j", "space")
        draft = screen_of(app).draft
        assert draft is not None
        assert [spec.id for spec in draft.plan.tasks if not spec.enabled] == [TaskId("api-spec")]

        await pilot.press("u")
        draft = screen_of(app).draft
        assert draft is not None
        assert all(spec.enabled for spec in draft.plan.tasks)


async def test_j_and_k_move_the_selection(app: PexApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pilot.press("j", "j", "k")

        assert screen_of(app).query_one(DataTable).cursor_row == 1


async def test_warnings_open_and_close(app: PexApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pilot.press("exclamation_mark")
        assert isinstance(app.screen, TextScreen)

        await pilot.press("escape")
        assert isinstance(app.screen, PlanScreen)


async def test_w_compares_numbers_of_slots_and_takes_the_chosen_one(app: PexApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pilot.press("w")
        await until(pilot, lambda: isinstance(app.screen, PickScreen))
        await until_shown(pilot, "  EFFICIENCY")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))
        assert screen_of(app).draft == screen_draft(app)

        await pilot.press("w")
        await until(pilot, lambda: isinstance(app.screen, PickScreen))
        await pilot.press("k", "k", "enter")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))
        await until(pilot, lambda: screen_of(app).draft != screen_draft(app))
        draft = screen_of(app).draft
        assert draft is not None
        assert draft.plan.slots == 3


async def test_why_a_plan_is_as_it_is_stands_below_the_warnings(
    service: ScriptedService,
) -> None:
    draft = replace(small(), reasons=("pattern single: one thing [/] in one place",))
    app = app_on(service, start=draft, symbols="line", now=lambda: states.NOW)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: "Why this plan" in screen_text(app))

        assert "one thing [/] in one place" in screen_text(app)


async def test_o_saves_where_it_is_told_and_overwrites_only_when_confirmed(
    app: PexApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text("mine")
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, LineScreen))
        await pilot.press("enter")
        await until(pilot, (tmp_path / "plan.yaml").exists)

        for answer, kept in (("n", True), ("y", False)):
            await until(pilot, lambda: isinstance(app.screen, PlanScreen))
            await pilot.press("o")
            await until(pilot, lambda: isinstance(app.screen, LineScreen))
            app.screen.query_one(Input).value = "mine.yaml"
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
            await pilot.press(answer)
            await until(pilot, lambda: isinstance(app.screen, PlanScreen))
            await pilot.pause()
            assert ((tmp_path / "mine.yaml").read_text() == "mine") is kept

        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, LineScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))

    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.yaml", "plan.yaml"]
    assert "id: schema" in (tmp_path / "plan.yaml").read_text(encoding="utf-8")


async def test_a_run_that_cannot_start_says_why(app: PexApp, service: ScriptedService) -> None:
    service.session = None
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TextScreen))

        assert service.started == [screen_draft(app)]


async def test_a_small_terminal_shows_the_plan_as_well(service: ScriptedService) -> None:
    app = app_on(service, start=small(), symbols="ascii", now=lambda: states.NOW)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()

        assert screen_of(app).query_one(DataTable).row_count == 3


def ids(app: PexApp) -> list[str]:
    draft = screen_of(app).draft
    return [] if draft is None else [spec.id for spec in draft.plan.tasks]


async def typed(pilot: Pilot[None], field: str, text: str) -> None:
    """Type a new value into a field of the form."""
    entry = pilot.app.screen.query_one(f"#{field}", Input)
    entry.focus()
    entry.value = text
    await pilot.pause()


async def test_e_edits_every_field_and_u_takes_it_back(app: PexApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        before = screen_of(app).draft
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, TaskForm))
        shown = {entry.id for entry in (*app.screen.query(Input), *app.screen.query(TextArea))}
        assert shown == set(FIELDS)
        await typed(pilot, "id", "tables")
        await typed(pilot, "writes", "db/**, doc/db.md")
        await typed(pilot, "timeout", "30m")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))

        draft = screen_of(app).draft
        assert draft is not None
        spec = draft.plan.tasks[0]
        assert (spec.id, spec.writes, spec.timeout_seconds) == (
            "tables",
            ("db/**", "doc/db.md"),
            1800.0,
        )
        assert draft.plan.tasks[2].needs == ("tables",)

        await pilot.press("u")
        assert screen_of(app).draft == before
        await pilot.press("U")
        assert screen_of(app).draft == draft


async def test_the_form_stays_open_and_shows_each_problem_at_its_field(app: PexApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, TaskForm))
        await typed(pilot, "estimate", "soon")
        await typed(pilot, "writes", "../out")
        await pilot.press("enter")
        wrong = app.screen.query_one("#wrong-estimate", Static)
        await until(pilot, lambda: wrong.display)

        assert "soon" in str(wrong.render())
        assert "leaves the repository" in str(app.screen.query_one("#wrong-writes").render())
        assert isinstance(app.screen, TaskForm)
        assert getattr(app.focused, "id", None) == "writes"


async def test_what_was_typed_is_thrown_away_only_when_that_is_wanted(app: PexApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, TaskForm))
        await pilot.press("x", "escape")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, TaskForm))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))
        assert ids(app)[0] == "schema"


async def test_n_adds_a_task_at_the_end(app: PexApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, TaskForm))
        await typed(pilot, "id", "bench")
        await typed(pilot, "command", "make bench")
        await typed(pilot, "needs", "routes, models")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))

        assert ids(app)[-1] == "bench"
        assert screen_of(app).query_one(DataTable).cursor_row == len(ids(app)) - 1


async def test_d_drops_a_task_once_it_is_said_who_needed_it(app: PexApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert "models, migration" in screen_text(app)
        await pilot.press("y")
        await until(pilot, lambda: "schema" not in ids(app))

        draft = screen_of(app).draft
        assert draft is not None
        assert draft.plan.tasks[draft.graph.index[TaskId("migration")]].needs == ()


async def test_plus_links_and_a_cycle_is_refused_by_name(app: PexApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pilot.press("j", "plus")
        await until(pilot, lambda: isinstance(app.screen, PickScreen))
        await pilot.press("enter")  # api-spec needs schema
        await until(pilot, lambda: needs(app, "api-spec") == ["schema"])

        await pilot.press("k", "plus")
        await until(pilot, lambda: isinstance(app.screen, PickScreen))
        await pilot.press("j", "enter")  # schema needs models, which needs it
        await until(pilot, lambda: bool(app._notifications))
        assert any("cycle" in note.message for note in app._notifications)
        assert needs(app, "schema") == []


def needs(app: PexApp, name: str) -> list[str]:
    if not isinstance(app.screen, PlanScreen) or app.screen.draft is None:
        return ["not there"]
    draft = app.screen.draft
    return list(draft.plan.tasks[draft.graph.index[TaskId(name)]].needs)


async def test_h_and_l_look_at_other_parts_of_the_graph(service: ScriptedService) -> None:
    app = app_on(service, start=twelve(), symbols="line", now=lambda: states.NOW)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "api-spec")
        graph = screen_of(app).query_one(GraphView)
        await pilot.press("l")
        assert graph.left == 8
        await pilot.press("right")  # to its end and no further
        assert 8 < graph.left < 16
        await until_shown(pilot, "docs")
        await pilot.press("h", "left", "h")
        assert graph.left == 0
        await pilot.press(*"jjjjjjjjjjjj")
        await until(pilot, lambda: graph.left > 0)  # the selected task is kept in view


@pytest.mark.parametrize(("symbols", "light", "heavy"), [("line", "─", "━"), ("ascii", "--", "=")])
async def test_the_critical_path_is_told_from_other_edges_without_colour(
    service: ScriptedService, symbols: str, light: str, heavy: str
) -> None:
    app = app_on(service, start=twelve(), symbols=symbols, now=lambda: states.NOW)
    async with app.run_test(size=(120, 36)) as pilot:
        await until_shown(pilot, "api-spec")
        graph = screen_of(app).query_one(GraphView)
        rows = [graph.render_line(y).text for y in range(graph.size.height)]
        (critical,) = (row for row in rows if "auth" in row)
        (other,) = (row for row in rows if "client" in row)
        assert heavy in critical
        assert heavy not in other
        assert light in other
        assert heavy in str(graph.border_subtitle)


@pytest.mark.parametrize("width", [80, 100, 120])
async def test_a_long_name_leaves_room_for_the_plans_figures(
    service: ScriptedService, width: int
) -> None:
    draft = replace(twelve(), name="Find out why the checkout fails and is slow on Mondays")
    app = app_on(service, start=draft, symbols="line", now=lambda: states.NOW)
    async with app.run_test(size=(width, 30)) as pilot:
        await until_shown(pilot, "api-spec")
        head = screen_text(app).splitlines()[0]
        assert "pex plan Find out" in head
        assert "12 tasks · 7 waves" in head
        assert ("width 3" in head) is (width >= 100)


HOSTILE = "Do\x1b]52;c;ZXZpbA==\x07 it\x90$q\x9c \u202enow\x9b31m"


async def test_the_form_shows_hostile_text_cleaned_and_keeps_what_was_not_touched() -> None:
    prompt, commit = f"{HOSTILE}\nand\tthen", f"fix: {HOSTILE}"
    draft = plan_of(TaskSpec(TaskId("a"), ("true",), prompt=prompt, commit_message=commit))
    app = app_on(ScriptedService(), start=draft, symbols="line")
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, TaskForm))
        form = app.screen
        assert isinstance(form, TaskForm)
        shown = form.query_one("#prompt", TextArea).text, form.query_one("#commit", TextArea).text
        assert shown == ("Do it now\nand\tthen", "fix: Do it now")
        assert form.unsaved == ""
        form.query_one("#commit", TextArea).text = "fix: done"
        assert form._fields()["prompt"] == prompt
        assert form._fields()["commit"] == "fix: done"


async def test_what_is_pasted_is_cleaned() -> None:
    app = app_on(ScriptedService(), symbols="line")
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.focused, Input))
        app.post_message(events.Paste(HOSTILE))
        await until(pilot, lambda: isinstance(app.focused, Input) and app.focused.value)
        assert isinstance(app.focused, Input)
        assert app.focused.value == "Do it now"
