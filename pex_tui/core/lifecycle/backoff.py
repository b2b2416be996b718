"""Exponential backoff of failed attempts and refused git steps."""

from random import Random

from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.state import RunState


def backoff_seconds(state: RunState, task_id: TaskId, failures: int) -> float:
    """Return the delay in seconds: exponential, with jitter of ±50%, the same in every replay."""
    rules = state.rules
    plain = min(rules.backoff_limit_seconds, rules.backoff_seconds * 2.0 ** (failures - 1))
    return plain * Random(f"{state.seed}/{task_id}/{failures}").uniform(0.5, 1.5)  # noqa: S311
