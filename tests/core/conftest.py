"""Runs for the core's tests."""

from collections.abc import Callable

import pytest

from pex_tui.core.model.plan import Plan, TaskSpec
from pex_tui.core.model.run_rules import RunRules
from tests.core.world import World


@pytest.fixture
def world() -> Callable[..., World]:
    """Begin a run of the tasks; keyword arguments go to the plan or to the rules."""

    def make(*tasks: TaskSpec, rules: RunRules | None = None, **fields: object) -> World:
        return World(Plan(tasks, **fields), rules or RunRules())  # type: ignore[arg-type]

    return make
