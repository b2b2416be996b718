"""Prediction of a task's write set from the paths in its prompt."""

import re

from pex_tui.planning.plan_file.context import PlanContext

_BREAKS = re.compile(r"[\s\"'`<>()\[\]{},;|=]+")
_TRAILING = ".,:;!?"
_LINE_NUMBER = re.compile(r":\d+(:\d+)?$")


def predicted_writes(prompt: str, context: PlanContext) -> tuple[str, ...]:
    """Return the tracked files and folders (as `folder/**`) that the prompt names, in its order.

    A bare lower-case word such as "tests" is not taken as a folder.
    """
    found: dict[str, None] = {}
    for word in _BREAKS.split(prompt):
        path = _named_path(word, context)
        if path is not None:
            found[path] = None
    return tuple(found)


def _named_path(word: str, context: PlanContext) -> str | None:
    text = _LINE_NUMBER.sub("", word.rstrip(_TRAILING)).removeprefix("./")
    folder = text.removesuffix("**").rstrip("/")
    if text in context.tracked and _looks_like_a_file(text):
        return text
    if "/" in text and folder in context.folders:
        return f"{folder}/**"
    return None


def _looks_like_a_file(text: str) -> bool:
    return "/" in text or "." in text or not text.islower()
