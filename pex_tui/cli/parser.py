"""The parser of the command line, built from the commands' descriptions.

Of the standard library, because each command and each Tab loads it: argparse takes 15 ms of CPU to
import, typer 120 ms, cyclopts 145 ms.
"""

import argparse
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from textwrap import wrap
from typing import cast

from pex_tui.cli.arguments import add_classic, add_runners, add_shared
from pex_tui.cli.command import PROGRAM, Command

GROUPS: Mapping[str, tuple[str, ...]] = {
    "plan and run": ("plan", "check", "run", "resume", "attach", "abort"),
    "after a run": ("land", "rollback", "recover", "resolve", "runs", "report", "clean"),
    "set up": ("demo", "doctor", "init", "trust", "agents", "completion"),
    "inside an agent": ("lock",),
}
"""All commands by purpose, in the order of `--help`; each is a module in `commands`."""
NAMES = tuple(name for names in GROUPS.values() for name in names)
GOAL = "open:goal"
"""The command for a goal in quotes; it is not listed."""
_ABOUT = f"""\
Run several agents in parallel on one git repository.

Without a command the app opens; with a goal in quotes, on the plan for it.
`{PROGRAM} COMMAND --help` shows the options of a command, with examples."""
_EXAMPLES = (
    ("demo", "see a run in 30 seconds"),
    ('"Fix the failing tests"', "review a plan for a goal, then run it"),
    ("run plan.yaml", "run a plan"),
)
_WIDTH = 78
_Formatter = argparse.RawDescriptionHelpFormatter


@cache
def command(name: str) -> Command:
    """Return the description of a command."""
    return cast("Command", import_module(f"pex_tui.cli.commands.{name}").COMMAND)


def build_parser(names: Iterable[str] = NAMES) -> argparse.ArgumentParser:
    """Return the parser of these commands, and of a goal in place of one."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        usage=f'{PROGRAM} [OPTIONS] [COMMAND ... | "GOAL"]',
        description=_overview() if names is NAMES else "",
        epilog=_examples(_EXAMPLES),
        formatter_class=_Formatter,
        add_help=False,
    )
    parser.set_defaults(handler="app", needs_trust=True, is_open_to_agents=False)
    parser.add_argument("-h", "--help", action="help", help="show this help and exit")
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="show the version and exit")
    add_classic(parser)
    add_shared(parser)
    commands = parser.add_subparsers(metavar="COMMAND", help=argparse.SUPPRESS, prog=PROGRAM)
    for name in names:
        _add(commands, name, command(name))
    goal = commands.add_parser(GOAL, prog=PROGRAM)
    goal.add_argument("goal", metavar="GOAL", help="the goal, in quotes")
    add_shared(goal)
    add_runners(goal)
    goal.set_defaults(handler="goal")
    return parser


def _overview() -> str:
    """Return the program's description, with its commands by purpose."""
    width = max(len(name) for name in NAMES)
    parts = [_ABOUT]
    for title, names in GROUPS.items():
        listed = "\n".join(f"  {name:<{width}}  {command(name).summary}" for name in names)
        parts.append(f"{title}:\n{listed}")
    return "\n\n".join(parts)


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, one: Command
) -> None:
    about = [f"{one.summary[0].upper()}{one.summary[1:]}.", *wrap(one.description, _WIDTH)]
    parser = commands.add_parser(
        name,
        description="\n".join(about),
        epilog=_examples(one.examples),
        formatter_class=_Formatter,
        add_help=False,
    )
    parser.add_argument("-h", "--help", action="help", help="show this help and exit")
    parser.set_defaults(
        handler=name, needs_trust=one.needs_trust, is_open_to_agents=one.is_open_to_agents
    )
    one.add_arguments(parser)
    add_shared(parser)


def _examples(examples: Iterable[tuple[str, str]]) -> str:
    lines = [(f"{PROGRAM} {line}", does) for line, does in examples]
    width = max(len(line) for line, _ in lines)
    return "examples:\n" + "".join(f"  {line:<{width}}  # {does}\n" for line, does in lines)


class _ShowVersion(argparse.Action):
    """Show the version and exit; the metadata of the package is read only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

        try:
            shown = version(PROGRAM)
        except PackageNotFoundError:
            shown = "(not installed)"
        sys.stdout.write(f"{PROGRAM} {shown}\n")
        parser.exit()
