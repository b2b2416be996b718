"""Turns a basket into an order."""

from shop.discounts import bulk_price


def checkout(stock, basket):
    lines = []
    for article, price, count in basket:
        stock.take(article, count)
        lines.append((article, bulk_price(price, count)))
    return lines
