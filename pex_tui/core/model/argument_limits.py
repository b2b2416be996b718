"""What the kernel takes as one argument or one variable of a program."""

from pex_tui.core.sanitize import raw

MOST_BYTES = 128 * 1024
"""Linux's MAX_ARG_STRLEN: with the NUL at the end, and of a variable with its name."""
PROMPT = "PEX_PROMPT"
PROMPT_FILE = "PEX_PROMPT_FILE"


def argument_bytes(text: str) -> int:
    """What a text takes as an argument."""
    return len(text.encode("utf-8", "surrogatepass")) + 1


def variable_bytes(name: str, text: str) -> int:
    """What a variable takes in the environment."""
    return argument_bytes(f"{name}={text}")


def fits_a_variable(prompt: str) -> bool:
    """Return whether `$PEX_PROMPT` holds all of a prompt."""
    return variable_bytes(PROMPT, prompt) <= MOST_BYTES


def as_variable(prompt: str) -> str:
    """Return as much of a prompt as `$PEX_PROMPT` holds, without NUL; the file has all of it."""
    content = raw(prompt.replace("\0", ""))
    room = MOST_BYTES - variable_bytes(PROMPT, "")
    if len(content) <= room:
        return content.decode("utf-8", "surrogateescape")
    return content[:room].decode("utf-8", "ignore")
