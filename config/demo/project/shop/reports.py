"""Figures about many orders."""

from shop.orders import calc_total


def revenue(orders):
    """The revenue of all orders."""
    return sum(calc_total(lines) for lines in orders)


def largest(orders):
    """The largest order, or None when there is none."""
    return max(orders, key=calc_total, default=None)
