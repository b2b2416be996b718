"""A short soak, on demand; `python -m tests.faults.soak --minutes 60` is the long one.

`PEX_SOAK_SECONDS=60 pytest tests/faults/test_soak.py` is what a nightly CI may afford: what it
finds depends on the machine's timing, so it does not decide about a change.
"""

import os
from pathlib import Path

import pytest

from tests.faults.soak import soak

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(
        not os.environ.get("PEX_SOAK_SECONDS"), reason="PEX_SOAK_SECONDS asks for it"
    ),
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="it looks into /proc"),
]
SECONDS = float(os.environ.get("PEX_SOAK_SECONDS", "0"))
SEED = int(os.environ.get("PEX_SOAK_SEED", "1"))


def test_no_fault_loses_work_lands_twice_or_leaves_anything(tmp_path: Path) -> None:
    tally = soak(SECONDS, SEED, only=None, keep=tmp_path, most_tasks=5)
    assert tally.violations == [], "\n".join(tally.lines())
    assert tally.faults.total() > 0, "\n".join(tally.lines())
    assert tally.checks["work is kept"] > 0
