"""Readers of single values in plan files, settings and agent definitions.

A reader raises ValueError with a message that tells the user what to do; already parsed values are
accepted as well.
"""

import re
from typing import Any

from pex_tui.core.model.plan import LockMode
from pex_tui.core.model.run_rules import MOST_SLOTS
from pex_tui.planning.fields import quantities

ID_PATTERN = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
MAX_ID_LENGTH = 40
ENGINE_VARIABLES = frozenset(
    f"PEX_{name}"
    for name in (
        *("RUN", "TASK", "ATTEMPT", "SLOT", "WORKSPACE"),
        *("SOCKET", "PORT", "OUTPUTS", "INPUTS", "PROMPT"),
    )
)

_ID = re.compile(ID_PATTERN)
_LOCK = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,79}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def read_text(value: Any) -> str:
    """Return one piece of text, as written."""
    if not isinstance(value, str):
        raise ValueError(f"it is {type_words(value)}, not text. Write text")  # noqa: TRY004 - every reader raises ValueError
    if "\0" in value:
        raise ValueError("it holds a NUL character. Remove it")
    return value


def read_word(value: Any) -> str:
    """Return text that is not empty."""
    text = read_text(value).strip()
    if not text:
        raise ValueError("it is empty. Write a value, or drop the key")
    return text


def read_list(value: Any) -> list[Any]:
    """Return a list with any content."""
    if isinstance(value, tuple):
        return list(value)
    if not isinstance(value, list):
        example = value if isinstance(value, str) and value else "…"
        raise ValueError(f"it is {type_words(value)}, not a list. Write [{example}]")  # noqa: TRY004 - every reader raises ValueError
    return value


def read_id(value: Any) -> str:
    """Return a task's id."""
    text = read_word(value)
    if len(text) > MAX_ID_LENGTH or _ID.fullmatch(text) is None:
        raise ValueError(
            f'"{text}" is not a valid id. Use a-z, 0-9 and inner dashes, '
            f"at most {MAX_ID_LENGTH} characters"
        )
    return text


def read_glob(value: Any) -> str:
    """Return a glob that stays inside the repository, with forward slashes."""
    text = read_word(value)
    shown = f'"{text}"'
    if "\\" in text:
        raise ValueError(f"{shown} holds a backslash. Separate folders with /")
    while text.startswith("./"):
        text = text[2:]
    parts = text.split("/")
    if text.startswith(("/", "~")) or ".." in parts or re.match(r"[A-Za-z]:", text):
        raise ValueError(f"{shown} leaves the repository. Write it relative to the repository")
    if parts[0] == ".git":
        raise ValueError(f"{shown} is git's own folder, which no task may touch. Drop it")
    if not any(part not in {"", "."} for part in parts):
        raise ValueError(f'{shown} names no path. Write "**" for the whole repository')
    return text


def read_folder(value: Any) -> str:
    """Return a folder of the repository; empty for its root."""
    text = read_word(value)
    if text.strip("/") in {"", "."} and not text.startswith("/"):
        return ""
    parts = [part for part in read_glob(text).split("/") if part not in {"", "."}]
    return "/".join(parts)


def read_command(value: Any) -> tuple[str, ...]:
    """Return an argv, or a line for the shell."""
    if isinstance(value, str):
        return ("sh", "-c", read_word(value))
    argv = tuple(read_text(part) for part in read_list(value))
    if not argv or not argv[0].strip():
        raise ValueError('it names no program. Write ["program", "argument"], or a shell line')
    return argv


def read_commands(value: Any) -> tuple[tuple[str, ...], ...]:
    """Return several commands; a single shell line counts as one."""
    if isinstance(value, str):
        return (read_command(value),)
    listed = read_list(value)
    texts = [entry for entry in listed if isinstance(entry, str)]
    if len(texts) == len(listed) and any(text.startswith("-") for text in texts[1:]):
        raise ValueError("it is one argv, and a list of commands is needed. Write [[…]]")
    return tuple(read_command(entry) for entry in listed)


def read_locks(value: Any) -> tuple[tuple[str, LockMode], ...]:
    """Return named locks: `[postgres, cache: shared]` or `{postgres: exclusive, cache: shared}`."""
    entries = [value] if isinstance(value, dict) else read_list(value)
    locks: dict[str, LockMode] = {}
    for entry in entries:
        pairs = entry.items() if isinstance(entry, dict) else [(read_text(entry), "exclusive")]
        for name, mode in pairs:
            if _LOCK.fullmatch(name) is None:
                raise ValueError(
                    f'"{name}" is not a valid lock name. Use letters, digits and . _ / -'
                )
            if mode not in list(LockMode):
                raise ValueError(f'lock "{name}" is exclusive or shared, not {_quoted(mode)}')
            if name in locks:
                raise ValueError(f'lock "{name}" is listed twice. Keep one')
            locks[name] = LockMode(mode)
    return tuple(locks.items())


def read_env(value: Any) -> tuple[tuple[str, str], ...]:
    """Environment variables of a task."""
    if not isinstance(value, dict):
        raise ValueError(f"it is {type_words(value)}, not a mapping. Write {{NAME: value}}")  # noqa: TRY004 - every reader raises ValueError
    for name in value:
        if _VARIABLE.fullmatch(name) is None:
            raise ValueError(f'"{name}" is not a valid variable name. Use letters, digits and _')
        if name in ENGINE_VARIABLES:
            raise ValueError(f"{name} is set by pex-tui itself. Choose another name")
    return tuple((name, read_text(text)) for name, text in value.items())


def read_slots(value: Any) -> int:
    """Return a number of slots."""
    text = str(value) if isinstance(value, int) else read_word(value)
    if not text.isdecimal() or len(text) > 3 or not 1 <= int(text) <= MOST_SLOTS:  # noqa: PLR2004 - more digits are out of range anyway
        raise ValueError(f"{_quoted(text)} is out of range. Write a number from 1 to {MOST_SLOTS}")
    return int(text)


def read_revision(value: Any) -> str:
    """Return a git revision, which must not look like an option."""
    text = read_word(value)
    if text.startswith("-") or any(character.isspace() for character in text):
        raise ValueError(f'"{text}" is not a valid revision. Write a branch, tag or commit')
    return text


def read_duration(value: Any) -> float:
    """Return seconds."""
    read = isinstance(value, int | float)
    return float(value) if read else quantities.parse_duration(read_word(value))


def read_positive_duration(value: Any) -> float:
    """Return seconds, more than zero."""
    seconds = read_duration(value)
    if seconds <= 0:
        raise ValueError("it is zero. Write a duration above zero")
    return seconds


def read_size(value: Any) -> int:
    """Return bytes."""
    return value if isinstance(value, int) else quantities.parse_size(read_word(value))


def read_rate(value: Any) -> int:
    """Return bytes per second."""
    if isinstance(value, int):
        return value
    text = read_word(value)
    if not text.endswith("/s"):
        raise ValueError(f'"{text}" is not a valid rate. Write it as 1MB/s')
    return quantities.parse_size(text.removesuffix("/s"))


def read_percent(value: Any) -> float:
    """Return a fraction above zero."""
    read = isinstance(value, float)
    fraction = float(value) if read else quantities.parse_percent(read_word(value))
    if fraction <= 0:
        raise ValueError("it is zero. Write a percentage above zero")
    return fraction


def type_words(value: Any) -> str:
    """Describe the type of a value, for a person."""
    match value:
        case None:
            return "empty"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return "text"


def _quoted(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else type_words(value)
