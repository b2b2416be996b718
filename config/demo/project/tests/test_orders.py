import unittest

from shop.invoices import render
from shop.orders import calc_total, instalments
from shop.reports import largest, revenue

LINES = [(1999, 2), (500, 1)]


class OrdersTest(unittest.TestCase):
    def test_lines_are_added_up(self):
        self.assertEqual(calc_total(LINES), 4498)

    def test_instalments_come_to_the_total(self):
        self.assertEqual(sum(instalments(LINES, 12)), calc_total(LINES))

    def test_an_invoice_names_customer_and_total(self):
        self.assertEqual(render("Ada", LINES).splitlines()[-1], "Total 44.98")

    def test_reports_cover_all_orders(self):
        self.assertEqual(revenue([LINES, LINES]), 8996)
        self.assertIsNone(largest([]))
