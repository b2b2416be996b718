"""Invoices as text."""

from shop.money import from_cents
from shop.orders import calc_total


def render(customer, lines):
    """An invoice for a customer."""
    rows = [f"{count} x {from_cents(price)}" for price, count in lines]
    return "\n".join([f"Invoice for {customer}", *rows, f"Total {from_cents(calc_total(lines))}"])
