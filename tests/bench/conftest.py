"""Fixtures shared with the end-to-end tests."""

from tests.adapters.git.conftest import (
    _own_git_configuration,
    bench,
    places,
    project,
    repository,
)
from tests.e2e.conftest import shell

__all__ = ["_own_git_configuration", "bench", "places", "project", "repository", "shell"]
