"""Attempts in a scope of systemd: it is theirs alone, and goes with the last of them."""

import os
import signal
from pathlib import Path

import pytest

from pex_tui.adapters.limits.cgroup_mounts import UNIFIED, own_cgroups
from pex_tui.adapters.limits.tiers import available_tier
from pex_tui.adapters.limits.values import Tier
from tests.adapters.process.runs import Attempts, lives
from tests.waiting import until

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(
        available_tier() is not Tier.SYSTEMD, reason="systemd makes no scopes for this user"
    ),
]


@pytest.mark.parametrize("is_killed", [False, True])
async def test_a_scope_goes_with_the_last_of_its_agents(
    attempts: Attempts, *, is_killed: bool
) -> None:
    await attempts.shell("one", "sleep 60")
    launcher, root = attempts.runner.launcher_pid, attempts.record("one").root_pid
    scope = own_cgroups(Path(f"/proc/{launcher}"))[UNIFIED][1].parent
    assert (scope.suffix, (scope / "pids.max").read_text()) == (".scope", "max\n")

    await attempts.runner.close()
    if is_killed:
        assert launcher is not None
        os.kill(launcher, signal.SIGKILL)
        await until(lambda: not lives(launcher))
    assert lives(root)
    assert scope.exists()
    os.kill(root, signal.SIGKILL)
    await until(lambda: not scope.exists())
