"""What earlier runs teach about the next one: how long the same work, the gate and the rest took.

Work is the same when the same thing runs: command, prompt, agent, runner and folder. Its name in a
plan says nothing. What never ran so is taken to last as its command, or its agent, usually did.
"""

import hashlib
import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field

from pex_tui.core.model.plan import Pace

DECLARED_SPREAD = 0.2  # of an estimate that somebody wrote down
_LEAST_SPREAD, _MOST_SPREAD = 0.05, 1.0
GUESSED_SPREAD = 0.5  # of work that never ran, or of which only the like did


class Work(Struct, frozen=True):
    """What a task runs."""

    argv: tuple[str, ...]
    prompt: str = ""
    agent: str = ""
    runner: str = ""  # of an agent with a model
    folder: str = ""

    @property
    def key(self) -> str:
        """Equal for the same work."""
        return _digest(self.argv, self.prompt, self.agent, self.runner, self.folder)

    @property
    def usual_key(self) -> str:
        """Equal for work of the same command, or of the same agent with a model."""
        if self.runner:
            return f"agent {self.agent}"
        return f"command {_digest(self.argv, self.folder)}"


class Learned(Struct, frozen=True):
    """How long work usually took: the median in seconds, and the spread of its logarithm."""

    seconds: float
    spread: float = DECLARED_SPREAD


class Experience(Struct, frozen=True):
    """All that is known, by the keys of `Work` and by the gate's commands."""

    works: Mapping[str, Learned] = field(default_factory=dict)
    gates: Mapping[str, float] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)

    def of(self, work: Work) -> Learned | None:
        """How long the work takes; None when nothing like it ever ran."""
        known = self.works.get(work.key)
        if known is not None:
            return known
        usual = self.works.get(work.usual_key)
        return None if usual is None else Learned(usual.seconds, max(usual.spread, GUESSED_SPREAD))

    def gate_seconds(self, verify: Sequence[Sequence[str]]) -> float | None:
        """How long the gate takes; None when it never ran."""
        return self.gates.get(gate_key(verify))


def gate_key(verify: Sequence[Sequence[str]]) -> str:
    """Equal for the same commands."""
    return _digest(*(tuple(command) for command in verify))


def learned(seconds: Iterable[float]) -> Learned:
    """Return the lesson of at least one duration."""
    took = [max(one, 0.001) for one in seconds]
    spread = DECLARED_SPREAD
    if len(took) > 1:
        spread = statistics.stdev(math.log(one) for one in took)
    return Learned(statistics.median(took), min(_MOST_SPREAD, max(_LEAST_SPREAD, spread)))


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
