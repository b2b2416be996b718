"""The planner's results for a table of goals, compared with a senior engineer's answers."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from pex_tui.planning.goals.goal_signals import read_signals
from pex_tui.planning.goals.patterns.choose import choose_pattern
from tests.planning.outlines import OUTLINES

HERE = Path(__file__).parent
FEWEST_GOALS = 36


def rows(name: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = yaml.safe_load((HERE / name).read_text(encoding="utf-8"))
    return listed


def what_is_wrong(row: dict[str, Any]) -> str:
    """Return the error in a line; empty if pattern and agents are right."""
    found = choose_pattern(read_signals(row["goal"]), OUTLINES[row["repo"]])
    agents, wanted = set(found.agents), set(row["agents"])
    faults = []
    if found.pattern.value != row["pattern"]:
        faults.append(f"{found.pattern.value}, not {row['pattern']}")
    if wanted - agents:
        faults.append(f"lacks {', '.join(sorted(wanted - agents))}")
    if agents - wanted - set(row.get("may", [])):
        faults.append(f"has {', '.join(sorted(agents - wanted - set(row.get('may', []))))}")
    return f"{row['goal'][:60]}: {'; '.join(faults)}" if faults else ""


@pytest.mark.parametrize(
    ("table", "least"),
    [
        ("goals.yaml", 0.9),
        ("goals_unseen.yaml", 0.9),
        ("goals_later.yaml", 0.9),
        ("goals_fresh.yaml", 0.9),
        ("goals_judged.yaml", 0.9),
    ],
)
def test_most_goals_get_the_plan_that_an_engineer_would_make(table: str, least: float) -> None:
    listed = rows(table)
    wrong = [line for row in listed if (line := what_is_wrong(row))]

    print(f"\n{table}: {len(listed) - len(wrong)} of {len(listed)} right", *wrong, sep="\n  ")  # noqa: T201 - what a reader of the failure wants
    assert len(wrong) <= (1 - least) * len(listed), wrong


def test_the_table_is_large_enough() -> None:
    assert len(rows("goals.yaml")) >= FEWEST_GOALS
