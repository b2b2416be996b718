"""A logistic function over named features."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul

_STEEPEST = 30.0


@dataclass(frozen=True, slots=True)
class LogisticModel:
    """Weights by the places of their features."""

    features: tuple[str, ...]
    weights: tuple[float, ...]

    def chance(self, values: Sequence[float]) -> float:
        """The probability, from the features' values in their order."""
        score = sum(map(mul, self.weights, values))
        return 1.0 / (1.0 + math.exp(-max(-_STEEPEST, min(_STEEPEST, score))))
