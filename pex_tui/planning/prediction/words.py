"""Tokenizing and stemming of texts and paths.

The stemmer is implemented here because Snowball's predicts conflicts no better (AUC 0.815 from
texts, here 0.813; with globs 0.947 for both) and takes 40 times as long in pure Python.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

_NAME = re.compile(r"[^\W\d_](?:[^\W_]|_(?=[^\W_]))*")
_HUMP = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\WA-Za-z\d_]+|\d+")
_TRAILER = re.compile(r"^(?:[A-Z][\w-]+-by|Change-Id|PEX-\w+|Co-authored-by): .*$", re.MULTILINE)
_SHORTEST = 2
_LONGEST = 40
_COMMON = frozenset(
    """a an and are as at be been but by can could do does for from had has have if in into is it
    its itself just may more most must no not now of on only or other our should so some such than
    that the their them then there these they this those to too up us was we were what when where
    which while who why will with without would you your also all any because both each here how
    via per http https www com github org""".split()  # noqa: SIM905  # a hundred quotes are harder to read
)


def words(text: str) -> Iterator[str]:
    """Yield the words of a text, stemmed; a compound name is followed by its parts."""
    for found in _NAME.finditer(_TRAILER.sub("", text)):
        name = found[0]
        if len(name) <= _LONGEST:
            yield from _parts(name)


def path_words(path: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the words of a file's name, and those of its parent folders."""
    folders, _, name = path.rpartition("/")
    return frozenset(words(name)), frozenset(words(folders))


@lru_cache(maxsize=65536)
def _parts(name: str) -> tuple[str, ...]:
    pieces = [piece.lower() for piece in _HUMP.findall(name)]
    whole = [name.lower()] if len(pieces) > 1 else []
    stems = [_stem(piece) for piece in pieces if _counts(piece)]
    return (*whole, *stems)


def _counts(piece: str) -> bool:
    return len(piece) >= _SHORTEST and piece not in _COMMON and not piece.isdigit()


def _stem(word: str) -> str:
    """Strip common endings of English and code."""
    for ending, instead, least in (
        ("ies", "y", 5),
        ("sses", "ss", 6),
        ("ings", "", 7),
        ("ing", "", 6),
        ("ions", "ion", 6),
        ("ed", "", 5),
        ("es", "e", 5),
        ("s", "", 4),
    ):
        if len(word) >= least and word.endswith(ending) and not word.endswith("ss"):
            word = word.removesuffix(ending) + instead
            break
    return word.removesuffix("e") if len(word) > 4 else word  # noqa: PLR2004  # use, node
