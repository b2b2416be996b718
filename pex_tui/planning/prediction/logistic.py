"""A logistic function over named features."""

import math
from collections.abc import Sequence
from operator import mul

from msgspec import Struct

_STEEPEST = 30.0


class LogisticModel(Struct, frozen=True):
    """The weights of the features, in their order."""

    features: tuple[str, ...]
    weights: tuple[float, ...]

    def chance(self, values: Sequence[float]) -> float:
        """Return the probability for the features' values, in their order."""
        score = sum(map(mul, self.weights, values))
        return 1.0 / (1.0 + math.exp(-max(-_STEEPEST, min(_STEEPEST, score))))
