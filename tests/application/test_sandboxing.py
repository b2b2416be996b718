"""The sandbox of a project's tasks."""

import pytest

from pex_tui.adapters.sandbox.tiers import Tiers
from pex_tui.application.project import sandboxing
from pex_tui.core.model.sandbox import Tier
from pex_tui.errors import UserError


def test_a_sandbox_that_is_named_and_does_not_work_ends_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem = "the program bwrap is not there. Install bubblewrap."
    monkeypatch.setattr(sandboxing, "tiers", lambda: Tiers(bwrap_problem=problem, landlock=7))

    with pytest.raises(UserError, match="Install bubblewrap") as told:
        sandboxing.sandbox_tier("bwrap")

    assert told.value.exit_code == 2
    assert sandboxing.sandbox_tier("auto") is Tier.LANDLOCK
    assert sandboxing.sandbox_tier("none") is None
