"""Figures about many orders."""

from shop.orders import calc_total


def revenue(orders):
    """What all orders come to."""
    return sum(calc_total(lines) for lines in orders)


def largest(orders):
    """The largest order, or None when there is none."""
    return max(orders, key=calc_total, default=None)
