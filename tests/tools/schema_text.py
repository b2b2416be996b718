"""The format of a JSON Schema's file."""

import json
from typing import Any


def schema_text(schema: dict[str, Any]) -> str:
    """Return the text of the file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
