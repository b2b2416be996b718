"""Syntax check of texts whose file name tells their format."""

import ast
import json
import tomllib
from collections.abc import Callable
from pathlib import PurePosixPath

NOT_CHECKED = "no check for this kind of file"
OK = "syntax ok"


def syntax_of(path: str, text: str) -> str:
    """Return `OK`, `NOT_CHECKED`, or the error in a few words."""
    check = _CHECKS.get(PurePosixPath(path).suffix.lower())
    if check is None:
        return NOT_CHECKED
    try:
        check(text)
    except SyntaxError as error:
        return f"syntax error in line {error.lineno}"
    except (ValueError, RecursionError) as error:
        return f"syntax error: {str(error).partition(chr(10))[0]}"
    return OK


_CHECKS: dict[str, Callable[[str], object]] = {
    ".py": ast.parse,
    ".pyi": ast.parse,
    ".json": json.loads,
    ".toml": tomllib.loads,
}
