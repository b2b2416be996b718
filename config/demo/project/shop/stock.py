"""Articles in stock."""


class Stock:
    """Counts of articles by name."""

    def __init__(self):
        self._counts = {}

    def add(self, article, count):
        """Put articles on the shelf."""
        self._counts[article] = self._counts.get(article, 0) + count

    def count(self, article):
        """The number of an article in stock."""
        return self._counts.get(article, 0)

    def take(self, article, count):
        """Take articles off the shelf."""
        self._counts[article] = self._counts.get(article, 0) - count
        return self._counts[article]
