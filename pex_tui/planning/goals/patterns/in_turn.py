"""Sequential patterns, and the pattern of a single agent."""

from itertools import zip_longest

from pex_tui.planning.goals import vocabulary as words
from pex_tui.planning.goals.clauses import GoalWord
from pex_tui.planning.goals.goal_signals import PRONOUNS, ClauseSignals, GoalSignals
from pex_tui.planning.goals.outline import RepositoryOutline
from pex_tui.planning.goals.patterns.choice import (
    CLEAR_AT,
    Part,
    Pattern,
    PatternChoice,
    allowed,
    product_size,
    quoted_words,
    why_chosen,
)
from pex_tui.planning.goals.patterns.single import agent_for, is_fault_report
from pex_tui.planning.goals.verbs import Intent

_WIDE_AT = 1.5
_FLAW_AT, _HARDENING_AT = 2.5, 2.0
_MOST_PARTS = 12


def sequence(signals: GoalSignals, outline: RepositoryOutline) -> PatternChoice | None:
    """Return one agent per clause, if they differ; a restructuring has three of its own."""
    found: list[Part] = []
    said_before: set[tuple[str, tuple[GoalWord, ...]]] = set()
    for one in _whole_orders(signals):
        for agent in _agents_of(one, signals, outline):
            if _means_the_same(one, agent, found):
                continue
            is_new = (agent, one.clause.words) not in said_before
            said_before.add((agent, one.clause.words))
            if is_new and len(found) < _MOST_PARTS and (not found or found[-1].agent != agent):
                said = " ".join(word.text for word in one.clause.words[:8])
                found.append(Part(agent, f'for "{said}"', clause=one.clause))
    kept = allowed(signals, tuple(part.agent for part in found))
    parts = tuple(part for part in found if part.agent in kept)
    if len({part.agent for part in parts}) < 2:  # noqa: PLR2004 - one agent is no sequence
        return None
    why = "each step builds on what the one before has left, so nothing is gained in parallel"
    return PatternChoice(Pattern.SEQUENTIAL, parts, why, max(1.0, product_size(signals)))


def _whole_orders(signals: GoalSignals) -> tuple[ClauseSignals, ...]:
    """Return the clauses with an order, without "find x" if a later clause changes x."""
    asked = [one for one in signals.clauses if one.intent is not None]
    return tuple(one for one, other in zip_longest(asked, asked[1:]) if not _is_half(one, other))


def _is_half(one: ClauseSignals, other: ClauseSignals | None) -> bool:
    """Return whether the clause only looks for what the next one changes."""
    if one.intent is not Intent.INVESTIGATE or any(weight >= 1 for weight in one.full.values()):
        return False
    if other is None or other.intent not in {Intent.EDIT, Intent.REFACTOR}:
        return False
    return any(word.text in PRONOUNS for word in other.clause.words)


def _means_the_same(one: ClauseSignals, agent: str, found: list[Part]) -> bool:
    """Return whether the clause repeats an order that the previous agent already has."""
    said = {word.text for word in one.clause.words}
    is_mended = bool(found) and agent == words.ERRORS and found[-1].agent == words.TEST_FIXER
    return is_mended and bool(said & PRONOUNS)


def _agents_of(
    one: ClauseSignals, signals: GoalSignals, outline: RepositoryOutline
) -> tuple[str, ...]:
    is_prose = one.head.get(words.DOCS, 0) >= CLEAR_AT
    is_large = one.intent is Intent.REFACTOR and not is_prose and signals.weight(words.SMALL) < 1
    if is_large:
        return (words.STRUCTURE, words.ENGINEER, words.TESTS)
    agent = agent_for(one, outline)
    least = _FLAW_AT if one.intent is Intent.FIX else _HARDENING_AT
    changes = one.intent in {Intent.FIX, Intent.EDIT, Intent.BUILD}
    if changes and not is_prose and one.head.get(words.SECURITY, 0) >= least:
        # The agent only reads: existing code before the fix, new code once it is built.
        is_new = one.intent is Intent.BUILD
        return (agent, words.SECURITY) if is_new else (words.SECURITY, agent)
    return (agent,)


def wide_change(signals: GoalSignals, outline: RepositoryOutline) -> PatternChoice | None:
    """Return one change across many files, then its verification; None if it is not that."""
    if Intent.EDIT not in signals.intents or signals.weight(words.WIDE) < _WIDE_AT:
        return None
    if single(signals, outline).agents != (words.ENGINEER,):
        return None
    said = quoted_words(signals, words.WIDE)
    parts = (
        Part(words.ENGINEER, f"changes what the goal names ({said})"),
        Part(words.TESTS, "checks that nothing broke"),
    )
    why = f"the change spans many files ({said}): two agents would conflict"
    agents = allowed(signals, (words.ENGINEER, words.TESTS))
    kept = tuple(part for part in parts if part.agent in agents)
    return PatternChoice(Pattern.SEQUENTIAL, kept, why, 1.0) if len(kept) > 1 else None


def single(signals: GoalSignals, outline: RepositoryOutline) -> PatternChoice:
    """Return one agent; there is always one."""
    asked = _whole_orders(signals) or signals.clauses
    agents = [agent_for(one, outline) for one in asked]
    specific = [agent for agent in agents if agent != words.ENGINEER]
    chosen = specific[0] if specific else words.ENGINEER
    if all(one.intent is None for one in asked) and is_fault_report(signals):
        chosen = chosen if specific else words.ERRORS
    usual = "reports a fault" if chosen == words.ERRORS else "does ordinary development work"
    why = "one thing in one place: one agent is as fast as several"
    return PatternChoice(
        Pattern.SINGLE,
        (Part(chosen, why_chosen(signals, chosen, usual)),),
        why,
        product_size(signals),
    )
