"""Fixes a known bug and adds a regression test: fix.py rounding|stock."""

import sys
from pathlib import Path

from pace import say, steps

SECONDS = 6
FAULTS = {
    "rounding": {
        "file": "shop/money.py",
        "wrong": "    return int(amount * 100)\n",
        "right": "    return round(amount * 100)\n",
        "test": "tests/test_rounding.py",
        "code": '''import unittest

from shop.money import to_cents


class RoundingTest(unittest.TestCase):
    def test_no_cent_is_lost(self):
        for cents in range(10000):
            self.assertEqual(to_cents(cents / 100), cents)
''',
    },
    "stock": {
        "file": "shop/stock.py",
        "wrong": '''        """Take articles off the shelf."""
''',
        "right": '''        """Take articles off the shelf; raise ValueError when there are too few."""
        if count > self.count(article):
            raise ValueError(f"only {self.count(article)} of {article} left")
''',
        "test": "tests/test_empty_shelf.py",
        "code": '''import unittest

from shop.stock import Stock


class EmptyShelfTest(unittest.TestCase):
    def test_nothing_is_taken_that_is_not_there(self):
        with self.assertRaises(ValueError):
            Stock().take("tea", 1)
''',
    },
}


def main(name):
    fault = FAULTS[name]
    path = Path(fault["file"])
    for step in steps(["read", "reproduce", "mend", "test"], SECONDS):
        text = path.read_text()
        if step == "read":
            say(f"reading {path}: {len(text.splitlines())} lines")
        elif step == "reproduce":
            Path(fault["test"]).write_text(fault["code"])
            say(f"wrote {fault['test']}, which fails")
        elif step == "mend":
            path.write_text(text.replace(fault["wrong"], fault["right"]))
            say(f"mended {path}")
        else:
            sys.path.insert(0, str(Path.cwd()))
            import unittest

            tests = unittest.defaultTestLoader.loadTestsFromName(fault["test"][:-3].replace("/", "."))
            good = unittest.TextTestRunner(verbosity=0).run(tests).wasSuccessful()
            say("its test passes" if good else "its test still fails")
            return 0 if good else 1
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
