"""The house in which each tier is tried."""

from pathlib import Path

import pytest

from pex_tui.core.model.sandbox import Tier
from tests.adapters.sandbox.house import BOTH, House
from tests.first_commits import Repositories


@pytest.fixture(params=BOTH)
def house(request: pytest.FixtureRequest, tmp_path: Path, repositories: Repositories) -> House:
    tier: Tier = request.param
    repositories.make(tmp_path / "repo", (("init", {"a.txt": "one\n"}),))
    return House(tmp_path, tier)
