"""The choice of pattern and agents for a goal."""

from pex_tui.planning.goals.goal_signals import GoalSignals
from pex_tui.planning.goals.outline import RepositoryOutline
from pex_tui.planning.goals.patterns.choice import PatternChoice
from pex_tui.planning.goals.patterns.in_turn import sequence, single, wide_change
from pex_tui.planning.goals.patterns.side_by_side import (
    emergency,
    investigation,
    parallel,
    pipeline,
)


def choose_pattern(signals: GoalSignals, outline: RepositoryOutline) -> PatternChoice:
    """Return the pattern and agents; there is always at least one agent."""
    for rule in (emergency, investigation, parallel, pipeline, sequence, wide_change):
        found = rule(signals, outline)
        if found is not None and found.parts:
            return found
    return single(signals, outline)
