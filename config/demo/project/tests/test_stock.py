import unittest

from shop.checkout import checkout
from shop.stock import Stock


class StockTest(unittest.TestCase):
    def test_what_is_added_can_be_taken(self):
        stock = Stock()
        stock.add("tea", 5)
        stock.take("tea", 2)
        self.assertEqual(stock.count("tea"), 3)

    def test_checkout_takes_from_the_shelf(self):
        stock = Stock()
        stock.add("tea", 20)
        self.assertEqual(checkout(stock, [("tea", 100, 10)]), [("tea", 900)])
        self.assertEqual(stock.count("tea"), 10)
