"""Weights of a goal's words for each agent and topic, with the words as evidence."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from msgspec import Struct, field

from pex_tui.planning.goals.clauses import Clause, GoalWord, read_clauses
from pex_tui.planning.goals.goal_text import MOST_READ
from pex_tui.planning.goals.verbs import PREPOSITIONS, Intent
from pex_tui.planning.goals.vocabulary import DOCS, RELEASE, TESTS, topics_of

_HALF = 0.5
_MOST_ITEMS = 8
_RULED_OUT_AT = 1.5
_FEW_WORDS = 4
_VERSION = re.compile(r"v\d+(\.\d+)+")
PRONOUNS = frozenset({"it", "them", "these", "those", "this", "that"})
_DOC_ENDINGS = frozenset({".md", ".rst", ".adoc", ".txt"})


class ClauseSignals(Struct, frozen=True):
    """One clause. `head` are topics in which words after a preposition have half weight."""

    clause: Clause
    full: Mapping[str, float]
    head: Mapping[str, float]

    @property
    def intent(self) -> Intent | None:
        """Return the intent of the clause's verb."""
        return self.clause.intent


class GoalSignals(Struct, frozen=True):
    """The whole goal. `evidence` holds the words for each topic, strongest first."""

    clauses: tuple[ClauseSignals, ...]
    topics: Mapping[str, float]
    evidence: Mapping[str, tuple[str, ...]]
    ruled_out: frozenset[str]
    paths: tuple[str, ...]
    listed: int

    def weight(self, topic: str) -> float:
        """Return the weight of the topic."""
        return self.topics.get(topic, 0.0)

    @property
    def intents(self) -> tuple[Intent, ...]:
        """Return the clauses' intents, each once, in order."""
        return tuple(dict.fromkeys(one.intent for one in self.clauses if one.intent is not None))

    @property
    def steps(self) -> int:
        """Return the number of steps that the text itself orders."""
        return len({one.clause.step for one in self.clauses})


class _Tally(Struct):
    """Topics of the words so far; each word counts once per topic."""

    weights: dict[str, float] = field(default_factory=dict)
    spoken: dict[str, dict[str, float]] = field(default_factory=dict)

    def add(self, spoken: Mapping[str, tuple[str, float]]) -> None:
        for topic, (word, weight) in spoken.items():
            words = self.spoken.setdefault(topic, {})
            if word not in words:
                words[word] = weight
                self.weights[topic] = self.weights.get(topic, 0.0) + weight


def read_signals(goal: str) -> GoalSignals:
    """Return the signals of a goal, of at most 24,000 characters."""
    text = goal[:MOST_READ]
    wanted, refused = _Tally(), _Tally()
    found: list[ClauseSignals] = []
    told: Mapping[str, float] = {}
    for clause in read_clauses(text):
        own = _clause_signals(clause, wanted, refused)
        if not all(word.is_ruled_out for word in clause.words):
            found.append(_about_what_was_told(own, told))
            is_about_it = clause.intent is None or found[-1] is not own
            told = found[-1].full if is_about_it else {}
    return GoalSignals(
        clauses=tuple(found),
        topics=wanted.weights,
        evidence={
            topic: tuple(sorted(words, key=lambda word: -words[word]))
            for topic, words in wanted.spoken.items()
        },
        ruled_out=frozenset(
            topic
            for topic, weight in refused.weights.items()
            if weight >= _RULED_OUT_AT and weight >= wanted.weights.get(topic, 0.0)
        ),
        paths=_paths(found),
        listed=min(_listed(text), _MOST_ITEMS),
    )


def _about_what_was_told(one: ClauseSignals, told: Mapping[str, float]) -> ClauseSignals:
    """Give an order without a subject ("repair them") the topics of the statement before it."""
    said = {word.text for word in one.clause.words}
    has_subject = bool(one.full) and not said & PRONOUNS
    if one.intent is None or not told or has_subject or len(said) > _FEW_WORDS:
        return one
    topics = (*told, *one.full)
    full = {topic: max(told.get(topic, 0.0), one.full.get(topic, 0.0)) for topic in topics}
    return ClauseSignals(one.clause, full, full)


def _clause_signals(clause: Clause, wanted: _Tally, refused: _Tally) -> ClauseSignals:
    full, head = _Tally(), _Tally()
    factor = 1.0
    words = clause.words
    for place, word in enumerate(words):
        if word.text in PREPOSITIONS and clause.intent is not None:
            factor = _HALF
        following = words[place + 1].text if place + 1 < len(words) else ""
        spoken = _spoken(word, following)
        if word.is_ruled_out:
            refused.add(spoken)
            continue
        full.add(spoken)
        wanted.add(spoken)
        head.add({topic: (said, weight * factor) for topic, (said, weight) in spoken.items()})
    return ClauseSignals(clause, full.weights, head.weights)


def _spoken(word: GoalWord, following: str) -> dict[str, tuple[str, float]]:
    """Return the topics of a word, alone or with the next one, and the quote for each."""
    if word.is_path:
        return {topic: (word.text, weight) for topic, weight in _path_topics(word).items()}
    if _VERSION.fullmatch(word.text):
        return {RELEASE: (word.text, 1.0)}
    alone = topics_of(word.text, "")
    together = topics_of(word.text, following) if following else alone
    return {
        topic: (word.text if alone.get(topic, 0) >= weight else f"{word.text} {following}", weight)
        for topic, weight in together.items()
    }


def _path_topics(word: GoalWord) -> dict[str, float]:
    """Return the topics of a path's name: tests, documents, a changelog."""
    path = PurePosixPath(word.text.casefold())
    named = topics_of(path.stem, "") if path.stem in {"changelog", "readme"} else {}
    if path.stem != "changelog" and path.suffix in _DOC_ENDINGS:
        named = {**named, DOCS: 2.0}
    if "tests" in path.parts or path.stem.startswith("test_") or path.stem.endswith("_test"):
        named = {**named, TESTS: 1.5}
    return named


def _listed(text: str) -> int:
    """Return the number of enumerated things after the first."""
    return text.count(", ") + (1 if " and " in text else 0)


def _paths(found: list[ClauseSignals]) -> tuple[str, ...]:
    """Return the paths that the goal names and does not rule out, without nested ones."""
    named = dict.fromkeys(
        word.text.rstrip("/*")
        for one in found
        for word in one.clause.words
        if word.is_path and not word.is_ruled_out
    )
    return without_nested(tuple(path for path in named if path))


def without_nested(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Return the paths that lie in none of the others."""
    known = set(paths)
    return tuple(
        path
        for path in paths
        if not any(path[:end] in known for end, sign in enumerate(path) if sign == "/")
    )
