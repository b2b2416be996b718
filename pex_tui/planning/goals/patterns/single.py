"""The choice of one agent for a clause."""

from collections.abc import Mapping

from pex_tui.planning.goals import vocabulary as words
from pex_tui.planning.goals.goal_signals import ClauseSignals, GoalSignals
from pex_tui.planning.goals.outline import RepositoryOutline
from pex_tui.planning.goals.verbs import Intent, word_set

_AT = 1.5
_STRONG = 2.0
_PLAIN = 2.5
_PLUGIN_WEIGHT = 2.0
_MAKERS = (
    *(words.FACTORY, words.STATE, words.ALERTS, words.MONITORING, words.RELEASE, words.TESTS),
    *(words.SPEED, words.ROLLBACK, words.STABILITY, words.META),
)
_ANALYSTS = (
    *(words.ERRORS, words.SPEED, words.SECURITY, words.COMPLIANCE, words.STRUCTURE, words.TESTS),
    *(words.SCREENS, words.USERS, words.STATE, words.OBSIDIAN, words.MONITORING, words.PRODUCT),
)
_STATES = word_set("is are was were has have does do shows show returns gives says")


def agent_for(one: ClauseSignals, outline: RepositoryOutline) -> str:
    """Return the agent for the clause; the engineer by default."""
    if _is_unsteady(one):
        return words.TEST_FIXER
    match one.intent:
        case Intent.FIX:
            return _mender(one)
        case Intent.INVESTIGATE:
            is_fault = one.full.get(words.FAULT, 0) >= 1
            return _top(one.full, _ANALYSTS, words.ERRORS if is_fault else words.STRUCTURE)
        case Intent.VERIFY:
            return _tester(one, outline)
        case Intent.TUNE:
            return words.SPEED
        case Intent.RELEASE if one.head.get(words.RELEASE, 0) >= 1:
            return words.RELEASE
        case Intent.PLAN:
            return words.META
        case Intent.RESTORE:
            return words.ROLLBACK
        case Intent.REFACTOR:
            return words.ENGINEER
        case None if one.full.get(words.FAULT, 0) >= 1 or one.full.get(words.ERRORS, 0) >= _AT:
            return _mender(one)
        case _:
            return _maker(one)


def is_fault_report(signals: GoalSignals) -> bool:
    """Return whether a text without an order describes a state of affairs."""
    said = {word.text for one in signals.clauses for word in one.clause.words}
    return signals.weight(words.FAULT) >= 1 or bool(said & _STATES)


def _is_unsteady(one: ClauseSignals) -> bool:
    """Return whether tests fail or are flaky, as opposed to a test to be written for a failure."""
    about_tests = max(one.head.get(words.TESTS, 0), one.head.get(words.TEST_FIXER, 0))
    changes = one.intent not in {Intent.INVESTIGATE, Intent.VERIFY}
    return changes and about_tests >= _AT and one.head.get(words.UNSTEADY, 0) >= _AT


def _mender(one: ClauseSignals) -> str:
    if one.head.get(words.DOCS, 0) >= _AT:
        return words.ENGINEER
    speed = one.full.get(words.SPEED, 0)
    return (
        words.SPEED if speed >= _STRONG and speed > one.full.get(words.ERRORS, 0) else words.ERRORS
    )


def _tester(one: ClauseSignals, outline: RepositoryOutline) -> str:
    vault = one.full.get(words.OBSIDIAN, 0)
    weights = {
        words.SCREENS: one.full.get(words.SCREENS, 0),
        words.OBSIDIAN: vault + (_PLUGIN_WEIGHT if vault and outline.is_obsidian_plugin else 0),
        words.SECURITY: one.full.get(words.SECURITY, 0) - 1,
        words.SPEED: one.full.get(words.SPEED, 0) - 1,
    }
    best = max(weights, key=lambda agent: weights[agent])
    return best if weights[best] >= _STRONG else words.TESTS


def _maker(one: ClauseSignals) -> str:
    if one.head.get(words.DOCS, 0) >= _AT:
        return words.ENGINEER
    for agent in (words.PRODUCT, words.STRUCTURE):  # agents with weaker words
        if one.head.get(agent, 0) >= _PLAIN:
            return agent
    return _top(one.head, _MAKERS, words.ENGINEER)


def _top(weights: Mapping[str, float], agents: tuple[str, ...], otherwise: str) -> str:
    best = max(agents, key=lambda agent: weights.get(agent, 0.0))
    return best if weights.get(best, 0.0) >= _AT else otherwise
