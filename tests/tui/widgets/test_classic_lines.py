"""The box as lines: the specification's drawing, straight sides, and the cursor in view."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len

from pex_tui.core.formatting import spoken
from pex_tui.core.model.ids import SlotId, TaskId
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.state import RunState
from pex_tui.core.views.status import Status
from pex_tui.core.views.view_models import SlotView
from pex_tui.engine.session import Usage
from pex_tui.tui.symbols import SymbolName, choose
from pex_tui.tui.widgets.classic.classic_lines import Canvas, Page, draw
from pex_tui.tui.widgets.classic.classic_view import ClassicView, classic_view
from tests.tui import states

USAGE = Usage(0.68, 512 * 1024**2)
WIDE_TEXT = "日本語のタイトル 👍🏽 e\u0301 ⏸\ufe0f \u1100\u1161 größer"
SHOWN = st.characters(exclude_categories=["Co", "Cs"])  # icons of patched fonts are let through
RUNS: list[Callable[[], RunState]] = [
    states.busy,
    states.calm,
    states.empty,
    states.fresh,
    states.broken,
    states.finished,
    states.crowded,
    states.hostile,
]

DRAWN = """\
╔════════════════════════════════════════════════════════════════════════╗
║ 🚀 PARALLEL AGENT EXECUTION MONITOR                                    ║
║ Overall Progress: ████████████░░░░░░ 65% | Elapsed: 3m 45s             ║
║ Threads: [1:⚡] [2:⚡] [3:⚡] [4:⏸ ] [5:✅] | Memory: 512MB | CPU: 68% ║
╠════════════════════════════════════════════════════════════════════════╣
║>[T1] ⚡ swebok-engineer    █████████░░░ 75% | api: Implementing featu… ║
║ [T2] ⚡ qa-engineer        ███████░░░░░ 60% | unit: Running test suite ║
║ [T3] ⚡ error-handler      ██████████░░ 85% | log: Analyzing errors    ║
╠════════════════════════════════════════════════════════════════════════╣
║ Run: 7f3a | Status: ⚡ running | Ended: 0/3 | Goal: Add a payments API ║
║ Selected: [T1] api | Attempt: 1 | Elapsed: 3m 45s | Endpoints          ║
║ Activity: Implementing features                                        ║
╚════════════════════════════════════════════════════════════════════════╝"""


def as_specified() -> ClassicView:
    """Return the view in the specification's drawing."""
    given_tasks = [
        ("api", "swebok-engineer", "Endpoints", 0.75, "Implementing features"),
        ("unit", "qa-engineer", "Unit tests", 0.6, "Running test suite"),
        ("log", "error-handler", "Log", 0.85, "Analyzing errors"),
    ]
    state = states.run_of(
        tuple(states.spec(name, agent, title) for name, agent, title, *_ in given_tasks),
        tuple(
            states.entry(
                name, Phase.RUNNING, **states.live(slot, 0, progress=progress, activity=doing)
            )
            for slot, (name, _, _, progress, doing) in enumerate(given_tasks, 1)
        ),
    )
    view = classic_view(state, states.NOW, USAGE)
    held = {4: Status.WAITING, 5: Status.DONE}
    slots = tuple(
        SlotView(SlotId(slot), None, held.get(slot, Status.RUNNING)) for slot in range(1, 6)
    )
    return replace(view, header=replace(view.header, slots=slots, progress=0.65))


def text_of(page: Page) -> list[str]:
    return ["".join(text for text, _ in line.pieces) for line in page.lines]


def drawn(state: RunState, *, width: int = 80, height: int = 24, **options: Any) -> Page:
    view = classic_view(state, state.now, USAGE, options.get("error", ""))
    symbols = choose(options.get("symbols", "emoji"), "UTF-8")
    cursor = options.get("cursor", state.tasks[0].id if state.tasks else None)
    return draw(view, Canvas(width, height, symbols), cursor, options.get("top", 0))


def test_at_its_own_width_the_box_is_the_specifications() -> None:
    page = draw(as_specified(), Canvas(74, 24, choose("emoji", "UTF-8")), TaskId("api"))
    assert text_of(page) == DRAWN.splitlines()


@pytest.mark.parametrize("name", SymbolName)
@pytest.mark.parametrize("build", RUNS)
def test_every_line_is_exactly_as_wide_as_the_box(
    build: Callable[[], RunState], name: SymbolName
) -> None:
    state = build()
    for width in (*range(1, 90), 120, 200):
        page = drawn(state, width=width, symbols=name, error="the disk is full")
        lines = text_of(page)
        assert {cell_len(line) for line in lines} == {width}
        side = "|" if name is SymbolName.ASCII else "║"
        middle = [line for line in lines if line[0] == side and width > 2]
        assert all(line.endswith(side) for line in middle)


@pytest.mark.parametrize("name", SymbolName)
@given(text=st.text(SHOWN, max_size=60), width=st.integers(1, 130))
def test_no_text_bends_the_sides(name: SymbolName, text: str, width: int) -> None:
    state = states.busy()
    specs = tuple(replace(one, prompt=f"{text} {WIDE_TEXT}", agent=None) for one in states.SPECS)
    tasks = tuple(replace(one, activity=text + WIDE_TEXT, reason=text) for one in state.tasks)
    hostile = replace(
        state, plan=replace(state.plan, tasks=specs, goal=text + WIDE_TEXT), tasks=tasks
    )
    lines = text_of(drawn(hostile, width=width, symbols=name, error=text))
    assert {cell_len(line) for line in lines} == {width}
    assert all(line.isprintable() for line in lines)
    assert all("\ufe0f" not in line for line in lines)


def test_ascii_draws_nothing_but_ascii() -> None:
    for build in RUNS:
        assert all(line.isascii() for line in text_of(drawn(build(), symbols="ascii")))


def test_markup_is_text() -> None:
    lines = "\n".join(text_of(drawn(states.hostile(), width=120)))
    assert "[bold red]x[/]" in lines
    assert "pwned" not in lines


@pytest.mark.parametrize("height", range(8, 40))
def test_the_cursor_is_always_in_sight(height: int) -> None:
    state = states.crowded()
    top = 0
    for task in (*state.tasks, *reversed(state.tasks)):
        page = drawn(state, height=height, cursor=task.id, top=top)
        top = page.top
        selected = [line for line in page.lines[:height] if line.is_selected]
        assert [line.task for line in selected] == [task.id]
        assert "".join(text for text, _ in selected[0].pieces).startswith("║>[T")


@pytest.mark.parametrize("height", range(11, 40))
def test_the_box_never_outgrows_its_canvas(height: int) -> None:
    for build in RUNS:
        assert len(drawn(build(), height=height, error="the disk is full").lines) <= height


def test_what_is_out_of_sight_is_counted() -> None:
    state = states.crowded()
    text = "\n".join(text_of(drawn(state, height=24, cursor=state.tasks[15].id)))
    assert "══ 4 more above ══"[1:] in text
    assert "══ 5 more below ══"[1:] in text


def test_an_open_conflict_and_what_a_task_waits_for_are_told() -> None:
    text = "\n".join(text_of(drawn(states.busy(), width=120, cursor=TaskId("changelog"))))
    assert "🔀 refunds is in conflict with docs in src/pay/api.py: c resolves it" in text
    assert "Activity: Blocked 0:14: refunds has an open conflict" in text


def test_many_threads_take_more_lines() -> None:
    lines = text_of(drawn(replace(states.busy(), capacity=32), width=80, height=40))
    threads = [line for line in lines if ":⚡]" in line or ":· ]" in line]
    assert len(threads) == 4
    assert sum(line.count(":") for line in threads) == 32 + 1 + sum(
        line.count("Memory:") + line.count("CPU:") for line in threads
    )
    assert "Memory: 512MB | CPU: 68%" in "\n".join(lines)


def test_an_emergency_boost_is_told() -> None:
    assert any("Emergency Boost" in line for line in text_of(drawn(states.calm())))


def test_what_nobody_measured_or_told_is_no_figure() -> None:
    state = states.busy()
    view = classic_view(state, state.now)
    text = text_of(draw(view, Canvas(120, 36, choose("emoji", "UTF-8")), None))
    assert any("Memory: – | CPU: –" in line for line in text)
    threats = next(line for line in text if "threats:" in line)
    assert "%" not in threats
    assert "╌╌╌" in threats


def test_without_a_run_the_box_says_so() -> None:
    lines = text_of(draw(None, Canvas(60, 24, choose("line", "UTF-8")), None))
    assert [cell_len(line) for line in lines] == [60] * 4
    assert "No run yet" in lines[2]


def test_a_finished_run_tells_its_outcome_and_where_it_landed() -> None:
    text = "\n".join(text_of(drawn(states.finished())))
    assert "Status: ✅ done | Ended: 10/10" in text
    assert "✅ Landed on main" in text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "0s"),
        (0, "0s"),
        (59.9, "59s"),
        (225, "3m 45s"),
        (3600, "1h 0m 0s"),
        (3825, "1h 3m 45s"),
    ],
)
def test_durations_are_spoken(seconds: float, words: str) -> None:
    assert spoken(seconds) == words
