"""What is wrong with a value that a user wrote, in words that name the next step."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # pydantic is loaded only where its models are
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
_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}


def explain(error: "ErrorDetails", known_keys: Iterable[str]) -> str:
    """Say what pydantic found wrong with the value, and what to write; without the place."""
    kind, context = error["type"], error.get("ctx", {})
    match kind:
        case "extra_forbidden":  # pydantic's names for its findings
            return unknown_key(str(error["loc"][-1]), known_keys)
        case "missing":
            return missing_key(str(error["loc"][-1]))
        case "value_error":
            return f"{context['error']}."
        case "enum" | "literal_error":
            listed = str(context["expected"]).replace(" or ", ", ").split(",")
            names = [name.strip("' ") for name in listed]
            return f"{unknown_choice(error['input'], names)}."
        case _ if kind in _BOUNDS:
            key, claim = _BOUNDS[kind]
            return f"{out_of_range(error['input'], claim, context[key])}."
        case _ if kind in _WANTED:
            return f"{wrong_type(error['input'], _WANTED[kind])}."
        case _:
            return f"{_shown(error['input'])} can't be read: {error['msg']}."


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
