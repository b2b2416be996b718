"""What pydantic found wrong, in words that name the next step."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from pydantic_core import ErrorDetails

_WANTED = {
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


def explain(error: ErrorDetails, known_keys: Iterable[str]) -> str:
    """What is wrong with the value, and what to write; without the place."""
    kind, context = error["type"], error.get("ctx", {})
    match kind:
        case "extra_forbidden":  # pydantic's names for its findings
            return unknown_key(str(error["loc"][-1]), known_keys)
        case "missing":
            return f'the key "{error["loc"][-1]}" is missing. Add it.'
        case "value_error":
            return f"{context['error']}."
        case "enum" | "literal_error":
            return _not_a_choice(error["input"], str(context["expected"]))
        case "greater_than_equal" | "greater_than" | "less_than_equal" | "less_than":
            return f'"{error["input"]}" is out of range. {_bound(kind, context)}.'
        case _ if kind in _WANTED:
            return f"it takes {_WANTED[kind]}, not {_shown(error['input'])}."
        case _:
            return f"{_shown(error['input'])} can't be read: {error['msg']}."


def unknown_key(key: str, known_keys: Iterable[str]) -> str:
    """That a key is not known, and which one may have been meant."""
    return f'unknown key "{key}". {nearest(key, known_keys) or "Drop it."}'


def nearest(word: str, known: Iterable[str]) -> str:
    """A guess at what was meant, or nothing."""
    near = get_close_matches(word.lower(), list(known), n=3, cutoff=0.6)
    names = " or ".join(f'"{name}"' for name in near)
    return f"Did you mean {names}?" if near else ""


def _not_a_choice(value: Any, expected: str) -> str:
    choices = [part.strip("' ") for part in expected.replace(" or ", ", ").split(",")]
    listed = ", ".join(choices)
    return f"{_shown(value)} is not known here. Write one of: {listed}."


def _bound(kind: str, context: dict[str, Any]) -> str:
    words = {
        "greater_than_equal": ("ge", "at least"),
        "greater_than": ("gt", "more than"),
        "less_than_equal": ("le", "at most"),
        "less_than": ("lt", "less than"),
    }
    key, claim = words[kind]
    return f"Write a number of {claim} {context[key]:g}"


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
