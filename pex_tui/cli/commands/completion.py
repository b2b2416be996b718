"""`pex-tui completion bash|zsh|fish`: completion of command lines."""

import sys
from argparse import ArgumentParser, Namespace

from pex_tui.cli.command import Command

_SHELLS = ("bash", "zsh", "fish")


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("shell", choices=_SHELLS, metavar="SHELL", help=", ".join(_SHELLS))


COMMAND = Command(
    summary="print a completion script for bash, zsh or fish",
    description="Completes commands, options, choices, settings, plan files and runs.",
    examples=(
        ("completion bash", "bash: eval its output in ~/.bashrc"),
        ("completion zsh", "zsh: source <(its output) in ~/.zshrc, after compinit"),
        ("completion fish | source", "fish: in config.fish"),
    ),
    add_arguments=_add_arguments,
    is_open_to_agents=True,
    takes_words=True,
)


def main(options: Namespace) -> int:
    """Print the shell's script; with words after --, the completions of the last one."""
    from pex_tui.cli.completion import SCRIPTS, candidates, words_of

    if not options.words:
        sys.stdout.write(SCRIPTS[options.shell])
        return 0
    is_line = options.shell == "bash"  # whose words end at = and : as well
    words = words_of(options.words[0]) if is_line else options.words
    sys.stdout.write("".join(f"{value}\t{meaning}\n" for value, meaning in candidates(words)))
    return 0
