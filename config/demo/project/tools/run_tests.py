"""Runs the tests one by one and reports each result."""

import sys
import unittest
from pathlib import Path

from pace import say, steps

SECONDS = 4


def every_test(suite):
    for entry in suite:
        if isinstance(entry, unittest.TestSuite):
            yield from every_test(entry)
        else:
            yield entry


def main():
    top = Path.cwd()
    sys.path.insert(0, str(top))
    failed = 0
    for test in steps(every_test(unittest.defaultTestLoader.discover("tests", top_level_dir=top)), SECONDS):
        result = unittest.TestResult()
        test.run(result)
        good = result.wasSuccessful()
        failed += not good
        say(f"{'pass' if good else 'FAIL'} {test.id()}")
    say(f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
