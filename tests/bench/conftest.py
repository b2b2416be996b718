"""What the benchmarks share with the end-to-end tests."""

from tests.e2e.conftest import shell

__all__ = ["shell"]
