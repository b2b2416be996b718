"""What every event has."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseEvent:
    """What all events share; `at` is 0 until the engine stamps it."""

    at: float = 0.0
