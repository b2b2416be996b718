"""`pex-tui agents [list|show|check|add]`: the agent library."""

import argparse
from pathlib import Path

from pex_tui.cli.arguments import add_json_list, add_shared
from pex_tui.cli.command import PROGRAM, Command

_LIST = "list the library (default)"
_ACTIONS = {
    "list": (_LIST, "--json"),
    "show": ("show one agent in full", "qa-engineer"),
    "check": ("check all definitions, or some", ".claude/agents"),
    "add": (
        "add definitions from elsewhere, after showing them",
        "https://example.org/agents.git@1a2b3c4 --to user",
    ),
}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_json_list(parser)
    parser.set_defaults(action="list")
    actions = parser.add_subparsers(metavar="ACTION")
    parsers = {}
    for name, (summary, example) in _ACTIONS.items():
        parsers[name] = actions.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            epilog=f"Example: {PROGRAM} agents {name} {example}",
        )
        add_shared(parsers[name])
        parsers[name].set_defaults(action=name, is_open_to_agents=name != "add")
    add_json_list(parsers["list"], default=argparse.SUPPRESS)
    parsers["show"].add_argument("name", metavar="NAME", help="the agent")
    parsers["check"].add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="a file, or a folder of them"
    )
    _add_source(parsers["add"])


def _add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source", metavar="SOURCE", help="a file, a folder, or a git repository as URL@COMMIT"
    )
    parser.add_argument(
        "--to",
        choices=("repository", "user", "configuration"),
        default="repository",
        help="the folder to add to (default: repository)",
    )
    parser.add_argument("--yes", action="store_true", help="add without asking")
    parser.add_argument("--force", action="store_true", help="replace files that differ")


COMMAND = Command(
    summary="list, show, check and add agent definitions",
    examples=(
        ("agents", "the library, and where each agent comes from"),
        ("agents show security-agent", "one agent"),
    ),
    add_arguments=_add_arguments,
    is_open_to_agents=True,
)


def main(options: argparse.Namespace) -> int:
    """List the library, show one agent, check definitions, or add some."""
    from pex_tui.cli.actions.agent_library import agents

    return agents(options)
