"""One spelling of durations and shares, for every screen and report."""

import re
from pathlib import Path

import pytest

import pex_tui
from pex_tui.core.formatting import clock, percent, spoken, tokens

PACKAGE = Path(pex_tui.__file__).parent
OWN_SPELLING = re.compile(r":[.+\d]*%}|int\(.*\* 100|// 60\b")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0:00"),
        (0.4, "0:00"),
        (9.34, "0:09"),
        (59.97, "0:59"),
        (125, "2:05"),
        (3723, "1:02:03"),
    ],
)
def test_durations_are_minutes_and_seconds(seconds: float, text: str) -> None:
    assert clock(seconds) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(None, "–"), (0.0, "0%"), (2 / 3, "66%"), (0.29, "29%"), (0.999, "99%"), (1.0, "100%")],
)
def test_shares_are_whole_percent_and_a_hundred_only_for_all(
    fraction: float | None, text: str
) -> None:
    assert percent(fraction) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(-3, "0s"), (45.9, "45s"), (225, "3m 45s"), (3605, "1h 0m 5s")]
)
def test_durations_are_also_told_in_words(seconds: float, text: str) -> None:
    assert spoken(seconds) == text


@pytest.mark.parametrize(
    ("amount", "text"), [(950, "950"), (9_999, "9999"), (12_345, "12k"), (1_250_000, "1.2M")]
)
def test_tokens_have_four_figures_at_most(amount: int, text: str) -> None:
    assert tokens(amount) == text


def test_no_module_spells_shares_and_durations_its_own_way() -> None:
    spelled = {
        f"{path.relative_to(PACKAGE)}: {line.strip()}"
        for path in PACKAGE.rglob("*.py")
        if path.name not in {"formatting.py", "quantities.py"}
        for line in path.read_text().splitlines()
        if OWN_SPELLING.search(line) and "style=" not in line and "width:max" not in line
    }
    assert spelled == {
        'reports/comparison.py: return f"{(right - left) / left:+.0%}"',  # a change, not a share
        'reports/html.py: f"{(span.begin - report.history.began_at) / whole:.2%}",',  # a place
        'reports/html.py: f"{seconds / whole:.2%}",',  # a width
    }
