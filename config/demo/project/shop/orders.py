"""Orders and their totals."""

from shop.money import split


def calc_total(lines):
    """Add up lines of (price in cents, count)."""
    return sum(price * count for price, count in lines)


def instalments(lines, months):
    """The monthly payments of an order."""
    return split(calc_total(lines), months)
