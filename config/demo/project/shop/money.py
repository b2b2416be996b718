"""Amounts of money in whole cents."""


def to_cents(amount):
    """Turn an amount such as 19.99 into cents."""
    return int(amount * 100)


def from_cents(cents):
    """Turn cents into text such as "19.99"."""
    sign = "-" if cents < 0 else ""
    units, rest = divmod(abs(cents), 100)
    return f"{sign}{units}.{rest:02d}"


def split(cents, parts):
    """Split cents fairly: the first parts get the odd cents."""
    share, odd = divmod(cents, parts)
    return [share + 1 if place < odd else share for place in range(parts)]
