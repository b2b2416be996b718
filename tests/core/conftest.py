"""Runs for the core's tests."""

from collections.abc import Callable

import pytest

from pex_tui.core.model.plan import Plan, TaskSpec
from pex_tui.core.model.run_rules import RunRules
from tests.core.world import SHIPPED, World


@pytest.fixture
def world() -> Callable[..., World]:
    """Begin a run of the tasks; keyword arguments go to the plan."""

    def make(*tasks: TaskSpec, rules: RunRules = SHIPPED, **fields: object) -> World:
        return World(Plan(tasks, **fields), rules)  # type: ignore[arg-type]

    return make
