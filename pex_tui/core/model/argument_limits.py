"""Kernel limits on one argument and one environment variable of a program."""

from pex_tui.core.sanitize import raw

MOST_BYTES = 128 * 1024
"""Linux's MAX_ARG_STRLEN, in bytes: the terminating NUL and, for a variable, its name count."""
PROMPT = "PEX_PROMPT"
PROMPT_FILE = "PEX_PROMPT_FILE"


def argument_bytes(text: str) -> int:
    """Return the size of a text as an argument, in bytes."""
    return len(text.encode("utf-8", "surrogatepass")) + 1


def variable_bytes(name: str, text: str) -> int:
    """Return the size of a variable in the environment, in bytes."""
    return argument_bytes(f"{name}={text}")


def fits_a_variable(prompt: str) -> bool:
    """Return whether `$PEX_PROMPT` can hold the whole prompt."""
    return variable_bytes(PROMPT, prompt) <= MOST_BYTES


def as_variable(prompt: str) -> str:
    """Return as much of a prompt as fits `$PEX_PROMPT`, without NUL; the prompt file has it all."""
    content = raw(prompt.replace("\0", ""))
    room = MOST_BYTES - variable_bytes(PROMPT, "")
    if len(content) <= room:
        return content.decode("utf-8", "surrogateescape")
    return content[:room].decode("utf-8", "ignore")
