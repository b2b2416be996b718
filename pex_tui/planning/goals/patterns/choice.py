"""The choice of a pattern of cooperation and of agents, with the reasons."""

from enum import StrEnum
from itertools import pairwise

from msgspec import Struct

from pex_tui.planning.goals import vocabulary as words
from pex_tui.planning.goals.clauses import Clause
from pex_tui.planning.goals.goal_signals import ClauseSignals, GoalSignals
from pex_tui.planning.goals.verbs import PREPOSITIONS

COMPLEX_AT = 3.0
CLEAR_AT = 1.5
_ITEM_WEIGHT = 0.4
_PEOPLE = frozenset({"users", "customers", "people", "visitors", "members", "employees", "admins"})


class Pattern(StrEnum):
    """The pattern in which a goal's agents cooperate."""

    SINGLE = "single"
    SEQUENTIAL = "sequential"
    PARALLEL = "parallel"
    INVESTIGATION = "investigation"
    PIPELINE = "pipeline"
    EMERGENCY = "emergency"


class Part(Struct, frozen=True):
    """One agent's part of the plan; `path` is its own area, `clause` its words of the goal."""

    agent: str
    why: str
    stage: int | None = None
    path: str | None = None
    clause: Clause | None = None


class PatternChoice(Struct, frozen=True):
    """The pattern, the agents in order, and the reason."""

    pattern: Pattern
    parts: tuple[Part, ...]
    why: str
    size: float

    @property
    def agents(self) -> tuple[str, ...]:
        """Return the agents, each once."""
        return tuple(dict.fromkeys(part.agent for part in self.parts))

    @property
    def complexity(self) -> str:
        """Return the complexity in a word."""
        if self.size < 1:
            return "simple"
        return "moderate" if self.size < COMPLEX_AT else "complex"


def product_size(signals: GoalSignals) -> float:
    """Return the size of a goal, from words for whole products and the number of listed things."""
    named = signals.weight(words.SIZE)
    listed = _ITEM_WEIGHT * signals.listed if named else 0.0
    used = 1.0 if any(_tells_who_does_what(one) for one in signals.clauses) else 0.0
    return max(0.0, named + listed + used - signals.weight(words.SMALL))


def _tells_who_does_what(one: ClauseSignals) -> bool:
    """Return whether the clause describes people's actions: "customers collect points"."""
    texts = [word.text for word in one.clause.words]
    return any(
        word in _PEOPLE and following not in PREPOSITIONS and following not in {"and", "or"}
        for word, following in pairwise(texts)
    )


def allowed(signals: GoalSignals, agents: tuple[str, ...]) -> tuple[str, ...]:
    """Return the agents without those that the goal rules out; never none at all."""
    kept = tuple(dict.fromkeys(agent for agent in agents if agent not in signals.ruled_out))
    return kept or tuple(dict.fromkeys(agents))


def why_chosen(signals: GoalSignals, topic: str, usual: str) -> str:
    """Return the goal's words for an agent, else its usual role."""
    said = quoted_words(signals, topic)
    return f"the goal says {said}" if said else usual


def quoted_words(signals: GoalSignals, topic: str) -> str:
    """Return the strongest words for a topic, in quotes."""
    return ", ".join(f'"{word}"' for word in signals.evidence.get(topic, ())[:3])
