"""Shared by all tests: options, and pictures in the top-level `snapshots` folder."""

import gc
import os
import signal
import sys
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import pytest_textual_snapshot  # type: ignore[import-untyped]  # it ships no types
from syrupy.location import PyTestLocation

from tests.first_commits import Repositories

hypothesis.settings.register_profile("patient", deadline=None)  # a loaded machine proves nothing
hypothesis.settings.register_profile("quick", deadline=None, max_examples=30)  # at each change
hypothesis.settings.load_profile(os.environ.get("PEX_EXAMPLES", "quick"))

TESTS = Path(__file__).resolve().parent
SNAPSHOTS = TESTS.parent / "snapshots"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Use more workers than there are processors: tests spend half of their time waiting."""
    return (os.cpu_count() or 1) + 3


def pytest_configure() -> None:
    """Undo what the caller's surroundings would change about the processes that tests start."""
    keep_bytecode()
    handle_signals()


def keep_bytecode() -> None:
    """Compile each module once, and not in every process that a test starts.

    An installer compiles what it installs; an editable installation is compiled when it is run,
    which an image with PYTHONDONTWRITEBYTECODE forbids.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def handle_signals() -> None:
    """Handle signals even under nohup and in a script's background, where they are ignored."""
    defaults: dict[int, Any] = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGHUP: signal.SIG_DFL,
        signal.SIGQUIT: signal.SIG_DFL,
    }
    for number, handler in defaults.items():
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


def pytest_collection_finish() -> None:
    """Collect garbage less often: with all shared objects it took a fifth of the tests' time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def pytest_sessionfinish() -> None:
    """Collect garbage once: pytest does it five times at its end, over all that was imported."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> Repositories:
    """Return the maker of the repositories that tests start with."""
    return Repositories(tmp_path_factory.mktemp("repositories"))


class TopLevelPictures(pytest_textual_snapshot.SVGImageExtension):  # type: ignore[misc]  # untyped
    """Keeps the pictures of tests/tui/test_x.py in snapshots/tui/pictures/test_x."""

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        module = Path(test_location.filepath).resolve().relative_to(TESTS)
        return str(SNAPSHOTS / module.with_suffix(""))


@pytest.fixture
def _pictures_at_the_top(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pytest_textual_snapshot, "SVGImageExtension", TopLevelPictures)


@pytest.fixture
def snap_compare(_pictures_at_the_top: None, snap_compare: Any) -> Any:
    """The plugin's fixture, with our folder."""
    return snap_compare
