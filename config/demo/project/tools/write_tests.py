"""Writes tests for the discounts from a table of cases."""

from pathlib import Path

from pace import say, steps

SECONDS = 5
CASES = [(1000, 0, 1000), (1000, 10, 900), (999, 50, 499), (1000, 150, 0), (1000, -5, 1000)]


def main():
    lines = ["import unittest", "", "from shop.discounts import percent_off", "", ""]
    lines += ["class DiscountsTest(unittest.TestCase):"]
    for place, (cents, percent, expected) in enumerate(steps(CASES, SECONDS)):
        lines += [
            f"    def test_case_{place}(self):",
            f"        self.assertEqual(percent_off({cents}, {percent}), {expected})",
            "",
        ]
        say(f"{percent}% off {cents} is {expected}")
    Path("tests/test_discounts.py").write_text("\n".join(lines[:-1]) + "\n")
    say("tests/test_discounts.py is written")


if __name__ == "__main__":
    main()
