"""What is wrong with a value that a user wrote, in words that name the next step."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any


def unknown_key(key: str, known_keys: Iterable[str]) -> str:
    """Say that a key is not known, and which one may have been meant."""
    return f'unknown key "{key}". {nearest(key, known_keys) or "Drop it."}'


def missing_key(key: str) -> str:
    """Say that a key is needed."""
    return f'the key "{key}" is missing. Add it.'


def unknown_choice(value: Any, choices: Iterable[str]) -> str:
    """Say that the value is none of the choices."""
    return f"{_shown(value)} is not known here. Write one of: {', '.join(choices)}"


def out_of_range(value: Any, claim: str, bound: float) -> str:
    """Say what the number has to be: "at least" a bound, for example."""
    return f'"{value}" is out of range. Write a number of {claim} {bound:g}'


def wrong_type(value: Any, wanted: str) -> str:
    """Say that another type of value is needed."""
    return f"it takes {wanted}, not {_shown(value)}"


def nearest(word: str, known: Iterable[str]) -> str:
    """Guess what was meant; empty when nothing is near."""
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
