"""Checks of commands, variables and prompts against the kernel's size limits."""

from pex_tui.core.model.argument_limits import (
    MOST_BYTES,
    PROMPT,
    PROMPT_FILE,
    argument_bytes,
    fits_a_variable,
    variable_bytes,
)
from pex_tui.planning.plan_file.task_fields import PlanFields, TaskFields

_LIMIT = f"the kernel takes {MOST_BYTES // 1024} KiB"


def check_sizes(draft: PlanFields, task: TaskFields, argv: tuple[str, ...]) -> None:
    """Record everything of a task that is too long for a program; `argv` is its command."""
    fields = task.fields
    if fields is None:
        return
    longest = max(map(argument_bytes, argv), default=0)
    if longest > MOST_BYTES:
        words = f"an argument of its command has {longest - 1:,} bytes, and {_LIMIT}."
        _complain(draft, task, "command", f"{words} Put it in a file.")
    for name, text in fields.env:
        taken = variable_bytes(name, text)
        if taken > MOST_BYTES:
            words = f"the variable {name} has {taken - 1:,} bytes, and {_LIMIT}. Put it in a file."
            _complain(draft, task, "env", words)
    names = " ".join(argv).replace(PROMPT_FILE, "")
    if PROMPT in names and not fits_a_variable(fields.prompt):
        words = f"its prompt is longer than ${PROMPT} can be ({_LIMIT})."
        _complain(draft, task, "prompt", f"{words} Let its command read the file ${PROMPT_FILE}.")


def _complain(draft: PlanFields, task: TaskFields, key: str, words: str) -> None:
    line = draft.document.line_of(("tasks", task.position, key))
    draft.complain(line, f"{task.label}: {words}")
