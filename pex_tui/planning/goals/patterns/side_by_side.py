"""Parallel patterns, in which agents work at the same time."""

from pex_tui.planning.goals import vocabulary as words
from pex_tui.planning.goals.goal_signals import ClauseSignals, GoalSignals, without_nested
from pex_tui.planning.goals.outline import RepositoryOutline
from pex_tui.planning.goals.patterns.choice import (
    CLEAR_AT,
    COMPLEX_AT,
    Part,
    Pattern,
    PatternChoice,
    allowed,
    product_size,
    quoted_words,
    why_chosen,
)
from pex_tui.planning.goals.patterns.single import agent_for
from pex_tui.planning.goals.verbs import Intent

_EMERGENCY_AT = 2.5
_SEVERE_AT = 1.5
_DISCOUNT = 0.3
_SHARE_OF_TOP = 0.3
_FEW_FILES = 3
_FROM_NOTHING = 1.0
_FEWEST_PARTS, _MOST_PARTS = 3, 12
_ANALYSTS = (
    *(words.ERRORS, words.TESTS, words.SPEED, words.STRUCTURE, words.SECURITY, words.COMPLIANCE),
    *(words.SCREENS, words.USERS, words.OBSIDIAN, words.STATE, words.MONITORING, words.RELEASE),
    *(words.BUSINESS, words.ORCHESTRATOR, words.META, words.PRODUCT),
)
_CLUSTER = (words.ERRORS, words.TESTS, words.SPEED)
_REVIEWERS = (words.TESTS, words.SECURITY, words.SPEED)
_REVIEWS = frozenset({"review", "audit", "assess", "assessment", "evaluate", "inspect"})
_RESPONDERS = (words.STABILITY, words.ERRORS, words.MONITORING, words.ROLLBACK, words.ALERTS)
_STAGES = (
    (words.PRODUCT, 1, "defines requirements and acceptance criteria", 0.0),
    (words.BUSINESS, 1, "analyses the processes behind it", 1.0),
    (words.USERS, 1, "reviews it from its users' point of view", 1.0),
    (words.STRUCTURE, 2, "designs the structure", 0.0),
    (words.ENGINEER, 2, "builds it", 0.0),
    (words.TESTS, 3, "tests what it does", 0.0),
    (words.SECURITY, 3, "looks for vulnerabilities", 0.7),
    (words.SPEED, 3, "measures it", 1.5),
    (words.COMPLIANCE, 3, "checks compliance", 2.5),
    (words.SCREENS, 3, "tests the user interface", 2.0),
)


def emergency(signals: GoalSignals, outline: RepositoryOutline) -> PatternChoice | None:
    """Return all responders, if something is failing for people right now."""
    del outline
    severe = sum(_severity(one) for one in signals.clauses)
    is_live = signals.weight(words.FAULT) >= 1
    score = severe + (signals.weight(words.LIVE) if is_live else 0.0)
    if severe < _SEVERE_AT or score < _EMERGENCY_AT:
        return None
    more = tuple(
        agent
        for agent, least in ((words.SECURITY, 2.5), (words.STATE, 2.5))
        if signals.weight(agent) >= least
    )
    said = quoted_words(signals, words.SEVERE)
    parts = tuple(
        Part(agent, why_chosen(signals, agent, "answers every emergency"))
        for agent in allowed(signals, (*_RESPONDERS, *more))
    )
    why = f"something is failing for people now ({said}): all responders at once, with boost"
    return PatternChoice(Pattern.EMERGENCY, parts, why, max(product_size(signals), COMPLEX_AT))


def _severity(one: ClauseSignals) -> float:
    """Return the clause's severity; an outage to document or plan for is not an acute one."""
    calm = {Intent.BUILD, Intent.EDIT, Intent.VERIFY, Intent.PLAN, Intent.INVESTIGATE}
    factor = _DISCOUNT if one.intent in calm or one.full.get(words.DOCS, 0) >= _SEVERE_AT else 1.0
    return one.full.get(words.SEVERE, 0.0) * factor


def investigation(signals: GoalSignals, outline: RepositoryOutline) -> PatternChoice | None:
    """Return the agents whose questions the goal asks, if it changes nothing."""
    if signals.intents != (Intent.INVESTIGATE,):
        return None
    weights = {agent: signals.weight(agent) for agent in _ANALYSTS}
    # "since the release" is a time
    weights[words.RELEASE] = sum(one.head.get(words.RELEASE, 0.0) for one in signals.clauses)
    least = max(CLEAR_AT, _SHARE_OF_TOP * max(weights.values()))
    found = [agent for agent in _ANALYSTS if weights[agent] >= least]
    is_fault = signals.weight(words.FAULT) >= 1 or signals.weight(words.VAGUE) >= CLEAR_AT
    if not found and not is_fault:
        found = list(_reviewers(signals))
    elif signals.weight(words.VAGUE) >= CLEAR_AT or not found:
        found = [*_CLUSTER, *(agent for agent in found if agent not in _CLUSTER)]
    elif words.ERRORS in found and set(found) <= set(_CLUSTER):
        found = [agent for agent in _CLUSTER if agent in found or agent == words.TESTS]
    agents = allowed(signals, tuple(found))
    usual = "part of every fault investigation"
    parts = tuple(Part(agent, why_chosen(signals, agent, usual)) for agent in agents)
    if len(parts) == 1:
        why = f"one question for one agent: more would not help ({outline_size(outline)})"
        return PatternChoice(Pattern.SINGLE, parts, why, product_size(signals))
    why = "the goal asks questions and changes nothing, so all agents can work at the same time"
    return PatternChoice(Pattern.INVESTIGATION, parts, why, max(1.0, product_size(signals)))


def _reviewers(signals: GoalSignals) -> tuple[str, ...]:
    """Return the agents for a question without a subject: all reviewers, else one that explains."""
    said = {word.text for one in signals.clauses for word in one.clause.words}
    return _REVIEWERS if said & _REVIEWS else (words.STRUCTURE,)


def parallel(signals: GoalSignals, outline: RepositoryOutline) -> PatternChoice | None:
    """Return one agent per named part, if the parts share no file."""
    intents = set(signals.intents)
    if len(signals.paths) < _FEWEST_PARTS or signals.steps > 1:
        return None
    if not intents or not intents <= {Intent.BUILD, Intent.EDIT, Intent.VERIFY}:
        return None
    agents = {agent_for(one, outline) for one in signals.clauses if one.intent is not None}
    if len(agents) != 1:
        return None
    agent = agents.pop()
    if not any(set(signals.paths) <= _paths_of(one) for one in signals.clauses):
        return None  # named in different orders, one of which depends on the other
    paths = _grouped(signals.paths)
    if len(paths) < 2:  # noqa: PLR2004 - one part is not parallel
        return None
    parts = tuple(Part(agent, f"works on {path} alone", path=path) for path in paths)
    why = f"the goal names {len(parts)} parts that share no file: one agent for each"
    return PatternChoice(Pattern.PARALLEL, parts, why, max(1.0, product_size(signals)))


def _paths_of(one: ClauseSignals) -> set[str]:
    return {word.text.rstrip("/*") for word in one.clause.words if word.is_path}


def _grouped(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Return the paths, or their folders if there are many; nothing if those are many too."""
    while len(paths) > _MOST_PARTS:
        folders = tuple(dict.fromkeys(path.rpartition("/")[0] for path in paths))
        if "" in folders:
            return ()
        paths = without_nested(folders)
    return paths


def pipeline(signals: GoalSignals, outline: RepositoryOutline) -> PatternChoice | None:
    """Return stages, if something new and large enough is to be made."""
    size = product_size(signals)
    if size >= 1 and len(outline.files) <= _FEW_FILES:
        size += _FROM_NOTHING
    makes = Intent.BUILD in signals.intents or Intent.REFACTOR in signals.intents[:1]
    heads = [one for one in signals.clauses if one.intent is Intent.BUILD]
    own = {agent_for(one, outline) for one in heads}
    is_single_subject = len(own) == 1 and own != {words.ENGINEER}
    if not makes or not heads or size < COMPLEX_AT or signals.steps > 1 or is_single_subject:
        return None
    parts = tuple(
        Part(agent, why_chosen(signals, agent, usual), stage)
        for agent, stage, usual, least in _STAGES
        if _in_pipeline(signals, agent) >= least and agent not in signals.ruled_out
    )
    why = "something new for users: requirements, then implementation, then tests"
    return PatternChoice(Pattern.PIPELINE, parts, why, size)


def _in_pipeline(signals: GoalSignals, agent: str) -> float:
    """Return the weight of the agent in a pipeline; names of a trade suggest process analysis."""
    trade = signals.weight(words.DOMAIN) if agent == words.BUSINESS else 0.0
    return signals.weight(agent) + trade


def outline_size(outline: RepositoryOutline) -> str:
    """Describe the repository's size, in words."""
    count = len(outline.files)
    return "1 tracked file" if count == 1 else f"{count} tracked files"
