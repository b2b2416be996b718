"""A small shop: money, stock, orders, discounts and invoices."""
