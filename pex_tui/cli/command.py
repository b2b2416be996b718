"""A command: a module in `commands` with a `COMMAND` and a `main`.

Only argparse and lighter modules are imported here and at the top of a command's module: `--help`
and completion load all of them.
"""

from argparse import ArgumentParser
from collections.abc import Callable
from typing import NamedTuple

PROGRAM = "pex-tui"


def no_arguments(parser: ArgumentParser) -> None:
    """Add nothing."""
    del parser


class Command(NamedTuple):
    """The description of a command; its `main(options)` returns the exit code.

    `examples` are command lines without the program's name, each with its meaning. `other_names`
    are names from other programs. With `needs_trust`, the command runs what a repository's settings
    name; with `is_open_to_agents`, a task's process may call it; with `takes_words`, the words
    after `--` are not its options.
    """

    summary: str
    examples: tuple[tuple[str, str], ...]
    add_arguments: Callable[[ArgumentParser], None] = no_arguments
    description: str = ""
    other_names: tuple[str, ...] = ()
    needs_trust: bool = False
    is_open_to_agents: bool = False
    takes_words: bool = False
