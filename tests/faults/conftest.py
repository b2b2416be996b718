"""Attempts of this folder's tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.adapters.process.runs import Attempts


@pytest.fixture
async def attempts(tmp_path: Path) -> AsyncIterator[Attempts]:
    made = Attempts(tmp_path)
    yield made
    await made.runner.close()
    made.sweep()
