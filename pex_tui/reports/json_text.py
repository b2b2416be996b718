"""JSON for other programs: secrets masked, names that are not UTF-8 escaped."""

import json
from typing import Any

from pex_tui.core.masking import masked_object
from pex_tui.core.sanitize import spelled


def json_text(value: Any, *, indent: int | None = None) -> str:
    """Return the value as JSON in which every string is valid Unicode, without secrets."""
    value = masked_object(value)
    text = json.dumps(value, indent=indent)
    # Such an escape is a surrogate, of a pair or alone.
    return json.dumps(_spelled(value), indent=indent) if r"\ud" in text else text


def _spelled(value: Any) -> Any:
    if isinstance(value, str):
        return spelled(value)
    if isinstance(value, dict):
        return {_spelled(name): _spelled(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_spelled(entry) for entry in value]
    return value
