from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from pex_tui.core.model.conflict import ConflictPath, Decision
from pex_tui.engine.conflict_sides import ConflictSides
from pex_tui.engine.ports import GateResult
from pex_tui.tui.app import PexApp
from pex_tui.tui.screens.conflict import ConflictScreen
from pex_tui.tui.screens.modals import TextScreen
from pex_tui.tui.screens.monitor import MonitorScreen
from tests.tui import states
from tests.tui.drafts import binary_conflict, odd_kinds, protected_changes, text_conflict
from tests.tui.hosts import ScriptedService, ScriptedSession, app_on
from tests.tui.waiting import screen_text, until, until_shown

Open = Callable[[tuple[ConflictSides, ...]], tuple[PexApp, ScriptedSession]]


@pytest.fixture
def conflicted() -> Open:
    def make(sides: tuple[ConflictSides, ...]) -> tuple[PexApp, ScriptedSession]:
        session = ScriptedSession(states.conflicted())
        session.conflict_sides = sides
        app = app_on(
            ScriptedService(session), start=session, symbols="line", now=lambda: states.NOW
        )
        return app, session

    return make


async def press_in_conflict(app: PexApp, *keys: str) -> None:
    """Open the conflict, wait until it is read, and press keys."""
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, ConflictScreen))
        await until(pilot, lambda: bool(app.screen.check_action("choose", ("ours",))))
        for key in keys:
            await pilot.press(key)
            await pilot.pause()


@pytest.mark.parametrize(("key", "expected"), [("o", b"- refunds\n"), ("t", b"- docs\n")])
async def test_a_side_is_taken_hunk_by_hunk_and_applied(
    conflicted: Open, key: str, expected: bytes
) -> None:
    app, session = conflicted(text_conflict())

    await press_in_conflict(app, key, key, key, key, "enter")

    ((task, decision, contents),) = session.resolved
    assert task == states.conflicted().open_conflicts[0].tasks[0]
    assert decision is Decision.EDITED
    changelog = contents["CHANGELOG.md"]
    assert changelog is not None
    assert expected in changelog


@pytest.mark.parametrize(("key", "decision"), [("o", Decision.OURS), ("t", Decision.THEIRS)])
async def test_protected_paths_are_allowed_or_left_out_as_they_are_their_modes_included(
    conflicted: Open, key: str, decision: Decision
) -> None:
    app, session = conflicted(protected_changes())

    await press_in_conflict(app, key, key, key, "enter")

    assert [entry[1:] for entry in session.resolved] == [(decision, {})]


async def test_a_protected_text_may_be_edited(
    conflicted: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR", "sed -i s/0/1/")
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setattr(PexApp, "suspend", lambda _: nullcontext())
    app, session = conflicted(protected_changes()[:1])
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))
        await pilot.press("c")
        await until_shown(pilot, "file 1/1")
        await pilot.press("e")
        await until_shown(pilot, "exit 1")
        await pilot.press("enter")
        await until(pilot, lambda: bool(session.resolved))

    ((_, decision, contents),) = session.resolved
    assert (decision, contents) == (
        Decision.EDITED,
        {"ci/check.sh": b"#!/bin/sh\nset -e\nexit 1\n"},
    )


async def test_nothing_is_applied_while_a_choice_is_left(conflicted: Open) -> None:
    app, session = conflicted(text_conflict())

    await press_in_conflict(app, "o", "enter")

    assert session.resolved == []


async def test_a_conflict_that_is_resolved_elsewhere_says_so_before_any_other_key_counts(
    conflicted: Open,
) -> None:
    app, session = conflicted(text_conflict())
    before = states.conflicted()
    decided = replace(
        before.open_conflicts[0], decision=Decision.THEIRS, resolved_by="attached process 7"
    )
    others = tuple(one for one in before.conflicts if one.number != decided.number)
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, ConflictScreen))
        await until(pilot, lambda: bool(app.screen.check_action("choose", ("ours",))))
        session.publish(replace(before, conflicts=(*others, decided), seq=before.seq + 1))
        await until(pilot, lambda: isinstance(app.screen, TextScreen))
        await until_shown(pilot, "attached process 7 has resolved it: theirs.")
        await pilot.press("o", "s")
        assert session.resolved == []


async def test_s_has_the_task_run_again(conflicted: Open) -> None:
    app, session = conflicted(text_conflict())

    await press_in_conflict(app, "s")

    assert [entry[1:] for entry in session.resolved] == [(Decision.RERUN, {})]


async def test_u_takes_a_choice_back(conflicted: Open) -> None:
    app, session = conflicted(text_conflict())

    await press_in_conflict(app, "o", "o", "u", "enter")

    assert session.resolved == []


async def test_a_binary_file_is_taken_whole_and_never_edited(conflicted: Open) -> None:
    app, session = conflicted(binary_conflict())

    await press_in_conflict(app, "e", "B", "t", "enter")

    assert [entry[1:] for entry in session.resolved] == [(Decision.THEIRS, {})]


async def test_e_edits_the_result_in_the_users_editor(
    conflicted: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\necho 'x = 1' > \"$1\"\n")
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))
    app, session = conflicted(text_conflict()[:1])
    monkeypatch.setattr(PexApp, "suspend", _no_terminal)

    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, ConflictScreen))
        await until(pilot, lambda: bool(app.screen.check_action("choose", ("ours",))))
        await pilot.press("e")
        await until(pilot, lambda: not _left(app))
        await pilot.press("enter")
        await until(pilot, lambda: bool(session.resolved))

    assert session.resolved[0][2] == {"src/pay/api.py": b"x = 1\n"}


async def test_escape_leaves_the_conflict_open(conflicted: Open) -> None:
    app, session = conflicted(text_conflict())

    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, ConflictScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))

    assert session.resolved == []


def _left(app: PexApp) -> int:
    """Return how many choices the screen still requires."""
    subtitle = app.screen.query_one("#result").border_subtitle or ""
    return int("left" in str(subtitle))


def _no_terminal(app: PexApp) -> AbstractContextManager[None]:
    """Suppress the release of the terminal, which a test does not have."""
    del app
    return nullcontext()


async def open_conflict(pilot: Pilot[None]) -> None:
    """Wait until the conflict is shown and read."""
    await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))
    await pilot.press("c")
    await until(pilot, lambda: isinstance(pilot.app.screen, ConflictScreen))
    await until(pilot, lambda: bool(pilot.app.screen.check_action("choose", ("ours",))))


async def test_v_runs_the_gate_on_what_was_chosen_and_resolves_nothing(conflicted: Open) -> None:
    app, session = conflicted(text_conflict())
    async with app.run_test(size=(120, 36)) as pilot:
        await open_conflict(pilot)
        await pilot.press("v")  # nothing is decided yet
        await pilot.pause()
        assert session.checked == []
        await pilot.press("o", "o", "o", "o", "v")
        await until_shown(pilot, "gate passed")
        session.gate_result = GateResult(
            passed=False, seconds=2.0, command="pytest -q", output="1 failed"
        )
        await pilot.press("u")
        await until_shown(pilot, "gate not run")
        await pilot.press("o", "v")
        await until(pilot, lambda: isinstance(app.screen, TextScreen))
        assert "1 failed" in screen_text(app)
        await pilot.press("escape")
        await until_shown(pilot, "gate failed: pytest -q")

    assert [task for task, _ in session.checked] == ["refunds", "refunds"]
    assert session.resolved == []


async def test_g_has_the_configured_program_merge_the_file(conflicted: Open) -> None:
    app, session = conflicted(text_conflict())
    async with app.run_test(size=(120, 36)) as pilot:
        await open_conflict(pilot)
        assert isinstance(app.service, ScriptedService)
        app.service.merge_tool = "mergebot"
        await pilot.press("g")
        await until_shown(pilot, "mergebot ended with 1: it gave src/pay/api.py up")
        app.service.merged = b"def refund(): ...\n"
        await pilot.press("g")
        await until_shown(pilot, "file 2/2")
        await pilot.press("o", "enter")
        await until(pilot, lambda: session.resolved)

    ((_, decision, contents),) = session.resolved
    assert decision is Decision.EDITED
    assert contents["src/pay/api.py"] == b"def refund(): ...\n"


async def test_an_editor_that_is_not_there_is_told(
    conflicted: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PexApp, "suspend", lambda _: nullcontext())
    monkeypatch.setenv("VISUAL", "/nowhere/vi")
    app, session = conflicted(text_conflict())
    async with app.run_test(size=(120, 36)) as pilot:
        await open_conflict(pilot)
        await pilot.press("e")
        await until_shown(pilot, "The editor /nowhere/vi can't be started")

    assert session.resolved == []


async def test_brackets_turn_the_file_and_n_the_hunk(conflicted: Open) -> None:
    app, _ = conflicted(text_conflict())
    async with app.run_test(size=(120, 36)) as pilot:
        await open_conflict(pilot)
        for key, shown in (
            ("right_square_bracket", "file 2/2"),
            ("left_square_bracket", "file 1/2"),
            ("n", "hunk 1/1"),
            ("N", "hunk 1/1"),
        ):
            await pilot.press(key)
            await until_shown(pilot, shown)


async def test_whole_files_of_every_kind_are_chosen_one_by_one(conflicted: Open) -> None:
    app, session = conflicted(odd_kinds())
    async with app.run_test(size=(120, 36)) as pilot:
        await open_conflict(pilot)
        await pilot.press("t", "o", "t", "enter")
        await until(pilot, lambda: session.resolved)

    ((_, _, contents),) = session.resolved
    assert contents == {
        "src/new_name.py": None,
        "vendor/lib": b"Subproject commit 2222222222222222222222222222222222222222\n",
        "current": b"v3",
    }


async def test_the_head_says_how_many_conflicts_wait_and_of_how_many_files(
    conflicted: Open,
) -> None:
    app, session = conflicted(odd_kinds())
    state = states.conflicted()
    (first,) = state.open_conflicts
    files = tuple(ConflictPath(f"src/{name}.py") for name in "abcd")
    second = replace(first, number=first.number + 1, tasks=first.tasks[::-1], files=files)
    session.publish(replace(state, conflicts=(first, second)))
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))
        await pilot.press("c")
        await until_shown(pilot, "file 1/3")
        assert "conflict 2/2 docs × refunds" in screen_text(app)
        assert "both changed src/a.py, src/b.py and 2 more; refunds was landed" in screen_text(app)
        assert "hunk" not in screen_text(app).splitlines()[0]


async def test_a_long_line_of_the_result_is_folded_and_keeps_its_origin(conflicted: Open) -> None:
    sides = text_conflict()[0]
    assert sides.ours is not None
    long = sides.ours.replace(b"audit.log(p)", b"audit.log(" + b"p" * 70 + b", end)")
    app, _ = conflicted((replace(sides, ours=long),))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))
        await pilot.press("c")
        await until_shown(pilot, "file 1/1")
        await pilot.press("o")
        await until_shown(pilot, "syntax ok")
        result = [line for line in screen_text(app).splitlines() if "ppp" in line][-2:]
        assert "ours" in result[0]
        assert ", end)" in result[1]


async def test_a_result_with_conflict_markers_is_not_applied(
    conflicted: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides = text_conflict()[0]
    app, session = conflicted((sides,))
    monkeypatch.setattr(PexApp, "suspend", lambda _: nullcontext())
    monkeypatch.setenv("EDITOR", "sed -i 1i\\\\n")
    monkeypatch.delenv("VISUAL", raising=False)
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))
        await pilot.press("c")
        await until_shown(pilot, "file 1/1")
        await pilot.press("e")
        await until_shown(pilot, "conflict markers are left in line")
        await pilot.press("enter")
        await pilot.pause()
        assert session.resolved == []
