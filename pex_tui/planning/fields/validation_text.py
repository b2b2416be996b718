"""Messages about wrong values, each with the next step."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any


def unknown_key(key: str, known_keys: Iterable[str]) -> str:
    """Describe an unknown key, with the key that was probably meant."""
    return f'unknown key "{key}". {nearest(key, known_keys) or "Drop it."}'


def missing_key(key: str) -> str:
    """Describe a missing key."""
    return f'the key "{key}" is missing. Add it.'


def unknown_choice(value: Any, choices: Iterable[str]) -> str:
    """Describe a value that is none of the choices."""
    return f"{_shown(value)} is not known here. Write one of: {', '.join(choices)}"


def out_of_range(value: Any, claim: str, bound: float) -> str:
    """Describe a number beyond its bound; `claim` is "at least", for example."""
    return f'"{value}" is out of range. Write a number of {claim} {bound:g}'


def wrong_type(value: Any, wanted: str) -> str:
    """Describe a value of the wrong type."""
    return f"it takes {wanted}, not {_shown(value)}"


def nearest(word: str, known: Iterable[str]) -> str:
    """Guess the known word that was meant; empty if none is similar."""
    near = get_close_matches(word.lower(), list(known), n=3, cutoff=0.6)
    names = " or ".join(f'"{name}"' for name in near)
    return f"Did you mean {names}?" if near else ""


def _shown(value: Any) -> str:
    match value:
        case None:
            return "an empty value"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return f'"{value}"'
