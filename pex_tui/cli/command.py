"""What a command is: a module in `commands` with a `COMMAND` and a `main`.

Nothing heavier than argparse is imported here or at the top of a command's module: `--help` and
the completion of command lines load all of them.
"""

from argparse import ArgumentParser
from collections.abc import Callable
from typing import NamedTuple

PROGRAM = "pex-tui"


def no_arguments(parser: ArgumentParser) -> None:
    """Add nothing."""
    del parser


class Command(NamedTuple):
    """What a command says of itself; its `main(options)` returns the exit code.

    `examples` are command lines without the program's name, with what each does. `other_names` are
    what other programs call it. With `needs_trust` it runs what a repository's settings name, with
    `is_open_to_agents` a process of a task may call it, and with `takes_words` what stands after
    `--` is none of its options.
    """

    summary: str
    examples: tuple[tuple[str, str], ...]
    add_arguments: Callable[[ArgumentParser], None] = no_arguments
    description: str = ""
    other_names: tuple[str, ...] = ()
    needs_trust: bool = False
    is_open_to_agents: bool = False
    takes_words: bool = False
