"""Processes that are started often load nothing that they can do without."""

import subprocess
import sys
from pathlib import Path

import pytest

import pex_tui
from pex_tui.adapters.process import held_command, server
from pex_tui.adapters.sandbox import enter

PACKAGE = str(Path(pex_tui.__file__).parents[1])
HEAVY = {"dataclasses", "inspect", "msgspec", "asyncio", "psutil"}


@pytest.mark.parametrize("module", [server, held_command, enter], ids=lambda one: one.__name__)
def test_launchers_and_holders_load_no_more_than_they_need(module: object) -> None:
    name = getattr(module, "__name__", "")
    script = f"import sys; sys.path.append({PACKAGE!r}); import {name}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True
    )

    assert HEAVY.isdisjoint(done.stdout.split())
