import unittest

from shop.money import from_cents, split, to_cents


class MoneyTest(unittest.TestCase):
    def test_whole_amounts_become_cents(self):
        self.assertEqual(to_cents(20), 2000)

    def test_cents_become_text(self):
        self.assertEqual(from_cents(-1905), "-19.05")

    def test_a_split_loses_nothing(self):
        self.assertEqual(split(100, 3), [34, 33, 33])
