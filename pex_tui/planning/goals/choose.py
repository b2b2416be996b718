"""Which pattern and which agents a goal calls for, and why."""

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from pex_tui.planning.goals import vocabulary as words
from pex_tui.planning.goals.clauses import Clause, Word
from pex_tui.planning.goals.outline import RepositoryOutline
from pex_tui.planning.goals.signals import (
    PREPOSITIONS,
    PRONOUNS,
    ClauseSignals,
    Signals,
    without_nested,
)
from pex_tui.planning.goals.single import agent_for, is_fault_report
from pex_tui.planning.goals.verbs import Intent

_EMERGENCY_AT = 3.0
_SEVERE_AT = 1.5
_DISCOUNT = 0.3
_ANALYST_AT = 1.5
_SHARE_OF_TOP = 0.3
_PIPELINE_AT = 3.0
_ITEM_WEIGHT = 0.4
_WIDE_AT = 1.5
_FLAW_AT, _HARDENING_AT = 2.5, 2.0
_FEW_FILES = 3
_PEOPLE = frozenset({"users", "customers", "people", "visitors", "members", "employees", "admins"})
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


class Pattern(StrEnum):
    """How a goal's agents work together."""

    SINGLE = "single"
    SEQUENTIAL = "sequential"
    PARALLEL = "parallel"
    INVESTIGATION = "investigation"
    PIPELINE = "pipeline"
    EMERGENCY = "emergency"


@dataclass(frozen=True, slots=True)
class Part:
    """One agent's place in the plan; `path` is what it alone works on, `clause` what it is for."""

    agent: str
    why: str
    stage: int | None = None
    path: str | None = None
    clause: Clause | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The pattern, the agents in order, and why it is this pattern."""

    pattern: Pattern
    parts: tuple[Part, ...]
    why: str
    size: float

    @property
    def agents(self) -> tuple[str, ...]:
        """The agents, each once."""
        return tuple(dict.fromkeys(part.agent for part in self.parts))

    @property
    def complexity(self) -> str:
        """In a word."""
        if self.size < 1:
            return "simple"
        return "moderate" if self.size < _PIPELINE_AT else "complex"


def choose(signals: Signals, outline: RepositoryOutline) -> Choice:
    """The pattern and agents; some agent is always chosen."""
    for rule in (_emergency, _investigation, _parallel, _pipeline, _sequence, _wide_change):
        found = rule(signals, outline)
        if found is not None and found.parts:
            return found
    return _single(signals, outline)


def product_size(signals: Signals) -> float:
    """How much a goal asks to be made: words of whole products, and how many things are listed."""
    named = signals.weight(words.SIZE)
    listed = _ITEM_WEIGHT * signals.listed if named else 0.0
    used = 1.0 if any(_tells_who_does_what(one) for one in signals.clauses) else 0.0
    return max(0.0, named + listed + used - signals.weight(words.SMALL))


def _tells_who_does_what(one: ClauseSignals) -> bool:
    """Whether people do something in it: "customers collect points"."""
    texts = [word.text for word in one.clause.words]
    return any(
        word in _PEOPLE and following not in PREPOSITIONS and following not in {"and", "or"}
        for word, following in pairwise(texts)
    )


def _emergency(signals: Signals, outline: RepositoryOutline) -> Choice | None:
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
    said = _quoted(signals, words.SEVERE)
    parts = tuple(
        Part(agent, _why(signals, agent, "answers every emergency"))
        for agent in _allowed(signals, (*_RESPONDERS, *more))
    )
    why = f"something is failing for people now ({said}): all responders at once, with boost"
    return Choice(Pattern.EMERGENCY, parts, why, max(product_size(signals), _PIPELINE_AT))


def _severity(one: ClauseSignals) -> float:
    """An outage that is to be documented, planned for or looked back at is not one that burns."""
    calm = {Intent.BUILD, Intent.EDIT, Intent.VERIFY, Intent.PLAN, Intent.INVESTIGATE}
    factor = _DISCOUNT if one.intent in calm or one.full.get(words.DOCS, 0) >= _SEVERE_AT else 1.0
    return one.full.get(words.SEVERE, 0.0) * factor


def _investigation(signals: Signals, outline: RepositoryOutline) -> Choice | None:
    if signals.intents != (Intent.INVESTIGATE,):
        return None
    weights = {agent: signals.weight(agent) for agent in _ANALYSTS}
    least = max(_ANALYST_AT, _SHARE_OF_TOP * max(weights.values()))
    found = [agent for agent in _ANALYSTS if weights[agent] >= least]
    is_fault = signals.weight(words.FAULT) >= 1 or signals.weight(words.VAGUE) >= _ANALYST_AT
    if not found and not is_fault:
        found = list(_reviewers(signals))
    elif signals.weight(words.VAGUE) >= _ANALYST_AT or not found:
        found = [*_CLUSTER, *(agent for agent in found if agent not in _CLUSTER)]
    elif words.ERRORS in found and set(found) <= set(_CLUSTER):
        found = [agent for agent in _CLUSTER if agent in found or agent == words.TESTS]
    agents = _allowed(signals, tuple(found))
    usual = "belongs to every investigation of a fault"
    parts = tuple(Part(agent, _why(signals, agent, usual)) for agent in agents)
    if len(parts) == 1:
        why = (
            f"one question for one agent: nothing would be gained by more ({outline_size(outline)})"
        )
        return Choice(Pattern.SINGLE, parts, why, product_size(signals))
    why = "the goal asks questions and changes nothing, so all of them can look at the same time"
    return Choice(Pattern.INVESTIGATION, parts, why, max(1.0, product_size(signals)))


def _reviewers(signals: Signals) -> tuple[str, ...]:
    """Who answers a question without a subject: a review looks at all, else one explains."""
    said = {word.text for one in signals.clauses for word in one.clause.words}
    return _REVIEWERS if said & _REVIEWS else (words.STRUCTURE,)


def _parallel(signals: Signals, outline: RepositoryOutline) -> Choice | None:
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
        return None  # named by different orders, of which one needs the other
    paths = _grouped(signals.paths)
    if len(paths) < 2:  # noqa: PLR2004 - one part is nothing to run side by side
        return None
    parts = tuple(Part(agent, f"works on {path} alone", path=path) for path in paths)
    why = f"the goal names {len(parts)} parts that share no file: one agent for each"
    return Choice(Pattern.PARALLEL, parts, why, max(1.0, product_size(signals)))


def _paths_of(one: ClauseSignals) -> set[str]:
    return {word.text.rstrip("/*") for word in one.clause.words if word.is_path}


def _grouped(paths: tuple[str, ...]) -> tuple[str, ...]:
    """The paths, or where they are many the folders they lie in; nothing when those are many."""
    while len(paths) > _MOST_PARTS:
        folders = tuple(dict.fromkeys(path.rpartition("/")[0] for path in paths))
        if "" in folders:
            return ()
        paths = without_nested(folders)
    return paths


def _pipeline(signals: Signals, outline: RepositoryOutline) -> Choice | None:
    size = product_size(signals)
    if size >= 1 and len(outline.files) <= _FEW_FILES:
        size += _FROM_NOTHING
    makes = Intent.BUILD in signals.intents or Intent.REFACTOR in signals.intents[:1]
    heads = [one for one in signals.clauses if one.intent is Intent.BUILD]
    own = {agent_for(one, outline) for one in heads}
    is_single_subject = len(own) == 1 and own != {words.ENGINEER}
    if not makes or not heads or size < _PIPELINE_AT or signals.steps > 1 or is_single_subject:
        return None
    parts = tuple(
        Part(agent, _why(signals, agent, usual), stage)
        for agent, stage, usual, least in _STAGES
        if _in_pipeline(signals, agent) >= least and agent not in signals.ruled_out
    )
    why = "something new that people will meet: what is wanted, then building it, then proof"
    return Choice(Pattern.PIPELINE, parts, why, size)


def _in_pipeline(signals: Signals, agent: str) -> float:
    """What speaks for the agent; names of a trade's things speak for looking at its processes."""
    trade = signals.weight(words.DOMAIN) if agent == words.BUSINESS else 0.0
    return signals.weight(agent) + trade


_STAGES = (
    (words.PRODUCT, 1, "says what is wanted and how one would know", 0.0),
    (words.BUSINESS, 1, "looks at the processes behind it", 1.0),
    (words.USERS, 1, "looks at it with its users' eyes", 1.0),
    (words.STRUCTURE, 2, "decides the structure", 0.0),
    (words.ENGINEER, 2, "builds it", 0.0),
    (words.TESTS, 3, "proves what it does", 0.0),
    (words.SECURITY, 3, "looks for misuse", 0.7),
    (words.SPEED, 3, "measures it", 1.5),
    (words.COMPLIANCE, 3, "checks the rules that apply", 2.5),
    (words.SCREENS, 3, "tests what people see", 2.0),
)


def _sequence(signals: Signals, outline: RepositoryOutline) -> Choice | None:
    """One agent for each clause, where they differ; a restructuring brings its own three."""
    found: list[Part] = []
    said_before: set[tuple[str, tuple[Word, ...]]] = set()
    for one in signals.clauses:
        if one.intent is None and len(signals.clauses) > 1:
            continue
        for agent in _agents_of(one, signals, outline):
            if _means_the_same(one, agent, found):
                continue
            is_new = (agent, one.clause.words) not in said_before
            said_before.add((agent, one.clause.words))
            if is_new and len(found) < _MOST_PARTS and (not found or found[-1].agent != agent):
                said = " ".join(word.text for word in one.clause.words[:8])
                found.append(Part(agent, f'for "{said}"', clause=one.clause))
    allowed = _allowed(signals, tuple(part.agent for part in found))
    parts = tuple(part for part in found if part.agent in allowed)
    if len({part.agent for part in parts}) < 2:  # noqa: PLR2004 - one agent is no sequence
        return None
    why = "each step builds on what the one before has left, so side by side nothing is won"
    return Choice(Pattern.SEQUENTIAL, parts, why, max(1.0, product_size(signals)))


def _means_the_same(one: ClauseSignals, agent: str, found: list[Part]) -> bool:
    """Whether "repair them" is about the tests that the agent before is to mend already."""
    said = {word.text for word in one.clause.words}
    is_mended = bool(found) and agent == words.ERRORS and found[-1].agent == words.TEST_FIXER
    return is_mended and bool(said & PRONOUNS)


def _agents_of(one: ClauseSignals, signals: Signals, outline: RepositoryOutline) -> tuple[str, ...]:
    is_prose = one.head.get(words.DOCS, 0) >= _ANALYST_AT
    is_large = one.intent is Intent.REFACTOR and not is_prose and signals.weight(words.SMALL) < 1
    if is_large:
        return (words.STRUCTURE, words.ENGINEER, words.TESTS)
    agent = agent_for(one, outline)
    least = _FLAW_AT if one.intent is Intent.FIX else _HARDENING_AT
    changes = one.intent in {Intent.FIX, Intent.EDIT, Intent.BUILD}
    if changes and not is_prose and one.head.get(words.SECURITY, 0) >= least:
        return (words.SECURITY, agent)  # it finds, and changes nothing itself
    return (agent,)


def _wide_change(signals: Signals, outline: RepositoryOutline) -> Choice | None:
    if Intent.EDIT not in signals.intents or signals.weight(words.WIDE) < _WIDE_AT:
        return None
    if _single(signals, outline).agents != (words.ENGINEER,):
        return None
    said = _quoted(signals, words.WIDE)
    parts = (
        Part(words.ENGINEER, f"changes what the goal names ({said})"),
        Part(words.TESTS, "proves that nothing broke on the way"),
    )
    why = f"the change goes through many files ({said}): two agents in it would collide"
    agents = _allowed(signals, (words.ENGINEER, words.TESTS))
    kept = tuple(part for part in parts if part.agent in agents)
    return Choice(Pattern.SEQUENTIAL, kept, why, 1.0) if len(kept) > 1 else None


def _single(signals: Signals, outline: RepositoryOutline) -> Choice:
    asked = [one for one in signals.clauses if one.intent is not None] or list(signals.clauses)
    agents = [agent_for(one, outline) for one in asked]
    specific = [agent for agent in agents if agent != words.ENGINEER]
    chosen = specific[0] if specific else words.ENGINEER
    if all(one.intent is None for one in asked) and is_fault_report(signals):
        chosen = chosen if specific else words.ERRORS
    usual = "tells of a fault" if chosen == words.ERRORS else "does ordinary development work"
    why = "one thing in one place: one agent is as fast as several"
    return Choice(
        Pattern.SINGLE, (Part(chosen, _why(signals, chosen, usual)),), why, product_size(signals)
    )


def _allowed(signals: Signals, agents: tuple[str, ...]) -> tuple[str, ...]:
    """The agents, without those whose subject the goal rules out; never none at all."""
    kept = tuple(dict.fromkeys(agent for agent in agents if agent not in signals.ruled_out))
    return kept or tuple(dict.fromkeys(agents))


def _why(signals: Signals, topic: str, usual: str) -> str:
    said = _quoted(signals, topic)
    return f"the goal says {said}" if said else usual


def _quoted(signals: Signals, topic: str) -> str:
    return ", ".join(f'"{word}"' for word in signals.evidence.get(topic, ())[:3])


def outline_size(outline: RepositoryOutline) -> str:
    """How large the repository is, in words."""
    count = len(outline.files)
    return "1 tracked file" if count == 1 else f"{count} tracked files"
