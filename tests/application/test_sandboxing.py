"""The sandbox of a project's tasks."""

import pytest

from pex_tui.adapters.sandbox.tiers import Tiers
from pex_tui.application.project import sandboxing
from pex_tui.core.model.sandbox import Tier
from pex_tui.errors import UserError
from pex_tui.settings.load import load_settings


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


@pytest.mark.parametrize(
    ("sandbox", "landlock", "told"),
    [
        ("auto", 7, ""),
        ("auto", 3, "as before Linux 6.7, Landlock holds no ports: a program that ignores"),
        ("none", 7, "as there is no sandbox: a program that ignores its proxy reaches any host."),
    ],
)
def test_limits_of_hosts_that_only_a_proxy_holds_are_said(
    monkeypatch: pytest.MonkeyPatch, sandbox: str, landlock: int, told: str
) -> None:
    monkeypatch.setattr(sandboxing, "tiers", lambda: Tiers(bwrap_problem="-", landlock=landlock))
    values = [f"safety.sandbox={sandbox}", "safety.network.allow=[example.com]"]
    limited = load_settings(None, values, {}).safety

    assert told in sandboxing.open_network(limited)
    assert bool(told) == bool(sandboxing.open_network(limited))
    assert not sandboxing.open_network(load_settings(None, values[:1], {}).safety)
