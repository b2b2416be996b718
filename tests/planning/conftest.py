"""Shortcuts to plans for the tests of this folder."""

import textwrap
from collections.abc import Callable

import pytest

from pex_tui.core.model.plan import Plan
from pex_tui.planning.fields.problems import PlanError
from pex_tui.planning.plan_file.context import PlanContext
from pex_tui.planning.plan_file.parser import parse_plan

Problems = Callable[..., list[str]]
Parse = Callable[..., Plan]


@pytest.fixture
def parse() -> Parse:
    """Parse an indented plan."""

    def parsed(text: str, context: PlanContext | None = None) -> Plan:
        return parse_plan(textwrap.dedent(text), "plan.yaml", context or PlanContext())

    return parsed


@pytest.fixture
def problems(parse: Parse) -> Problems:
    """Return every problem of an indented plan, as printed."""

    def found(text: str, context: PlanContext | None = None) -> list[str]:
        with pytest.raises(PlanError) as caught:
            parse(text, context)
        return list(caught.value.problems)

    return found
