from msgspec.structs import replace

from pex_tui.cli.output.runs import render_runs
from pex_tui.core.model.ids import RunId
from pex_tui.core.model.state import Outcome
from pex_tui.engine.session import RunFigures, RunSummary

PAST = RunSummary(RunId("7f3a"), "Harden the API", 1_764_000_000.0, Outcome.OK, 9, 11, 125.0)


def test_without_runs_the_way_to_one_is_told() -> None:
    assert "pex-tui run PLAN" in render_runs(())


def test_a_run_is_one_line_under_its_heads() -> None:
    head, line = render_runs((PAST,)).splitlines()

    assert head.split() == ["RUN", "WHEN", "OUTCOME", "LANDED", "TIME", "GOAL"]
    assert line.split()[0] == "7f3a"
    assert line.split()[3:6] == ["ok", "9/11", "2:05"]
    assert line.index("Harden") == head.index("GOAL")


def test_how_a_run_stands_is_one_word_or_two() -> None:
    runs = (
        replace(PAST, is_live=True, outcome=None),
        replace(PAST, outcome=None),
        replace(PAST, outcome=Outcome.CONFLICTS, open_conflicts=1),
        replace(PAST, outcome=Outcome.GATE_FAILED),
    )

    lines = render_runs(runs).splitlines()[1:]

    for line, words in zip(
        lines, ("live", "interrupted", "1 conflict", "gate_failed"), strict=True
    ):
        assert f"  {words}  " in line


def test_columns_stay_under_one_another_whatever_runs_are_called() -> None:
    runs = (PAST, replace(PAST, run=RunId("a-very-long-name-of-a-run"), seconds=100_000.0))

    lines = render_runs(runs).splitlines()

    assert len({line.index(word) for line, word in zip(lines, ("GOAL", "Hard", "Hard"))}) == 1  # noqa: B905


def test_a_goal_is_one_clean_line_that_fits() -> None:
    goal = f"\x1b[2J{'very ' * 40}long\nsecond line"

    (_, line) = render_runs((replace(PAST, goal=goal),)).splitlines()

    assert "\x1b" not in line
    assert line.endswith("…")
    assert len(line) <= 100


def test_its_time_is_that_of_its_report_where_that_is_known() -> None:
    paused = replace(PAST, figures=RunFigures(60.0))

    (_, line) = render_runs((paused,)).splitlines()

    assert line.split()[5] == "1:00"
