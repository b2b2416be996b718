"""Discounts on orders."""


def percent_off(cents, percent):
    """Take a percentage off; never more than all of it."""
    kept = 100 - min(100, max(0, percent))
    return cents * kept // 100


def bulk_price(price, count):
    """Ten or more of one article are a tenth cheaper."""
    total = price * count
    return percent_off(total, 10) if count >= 10 else total
