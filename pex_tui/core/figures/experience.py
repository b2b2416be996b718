"""Durations learned from earlier runs: of the same work, the gate and the overheads.

Work is the same when the same thing runs: command, prompt, agent, runner and folder, whatever its
name in a plan. Unknown work is expected to take as long as its command, or its agent, usually did.
"""

import hashlib
import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field

from pex_tui.core.model.plan import Pace

DECLARED_SPREAD = 0.2  # of a declared estimate
_LEAST_SPREAD, _MOST_SPREAD = 0.05, 1.0
GUESSED_SPREAD = 0.5  # of unknown work, or work known only by its like


class TaskWork(Struct, frozen=True):
    """The identity of a task's work."""

    argv: tuple[str, ...]
    prompt: str = ""
    agent: str = ""
    runner: str = ""  # of an agent with a model
    folder: str = ""

    @property
    def key(self) -> str:
        """Return a key that is equal for the same work."""
        return _digest(self.argv, self.prompt, self.agent, self.runner, self.folder)

    @property
    def usual_key(self) -> str:
        """Return a key that is equal for work of the same command, or of the same agent."""
        if self.runner:
            return f"agent {self.agent}"
        return f"command {_digest(self.argv, self.folder)}"


class Learned(Struct, frozen=True):
    """The usual duration of work: median in seconds, and standard deviation of its logarithm."""

    seconds: float
    spread: float = DECLARED_SPREAD


class Experience(Struct, frozen=True):
    """All learned durations, by the keys of `TaskWork` and of the gate's commands."""

    works: Mapping[str, Learned] = field(default_factory=dict)
    gates: Mapping[str, float] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)

    def of(self, work: TaskWork) -> Learned | None:
        """Return the expected duration of the work; None when nothing like it ever ran."""
        known = self.works.get(work.key)
        if known is not None:
            return known
        usual = self.works.get(work.usual_key)
        return None if usual is None else Learned(usual.seconds, max(usual.spread, GUESSED_SPREAD))

    def gate_seconds(self, verify: Sequence[Sequence[str]]) -> float | None:
        """Return the expected duration of the gate in seconds; None when it never ran."""
        return self.gates.get(gate_key(verify))


def gate_key(verify: Sequence[Sequence[str]]) -> str:
    """Return a key that is equal for the same commands."""
    return _digest(*(tuple(command) for command in verify))


def learned(seconds: Iterable[float]) -> Learned:
    """Return what at least one duration teaches."""
    took = [max(one, 0.001) for one in seconds]
    spread = DECLARED_SPREAD
    if len(took) > 1:
        spread = statistics.stdev(math.log(one) for one in took)
    return Learned(statistics.median(took), min(_MOST_SPREAD, max(_LEAST_SPREAD, spread)))


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
