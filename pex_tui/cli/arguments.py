"""Arguments shared by commands; completion goes by their metavars."""

import argparse
from pathlib import Path
from typing import Any

from pex_tui.core.model.run_rules import MOST_SLOTS

OPTIONS_WITH_VALUE = frozenset({"--repo", "--set"})
"""Options of every command that take a value and may precede the command."""


class _ChosenRunner(argparse.Action):
    """`--agent NAME=RUNNER`, a setting with an option of its own."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Add it to the settings of the command line."""
        name, equals, runner = str(values).partition("=")
        if not (name and equals and runner):
            parser.error(f"{option_string} {values}: write NAME=RUNNER, such as '*=claude'")
        chosen = f"agents.use.{name}={runner}"
        namespace.set = [*(getattr(namespace, "set", None) or []), chosen]


def add_shared(parser: argparse.ArgumentParser) -> None:
    """Add the options of every command."""
    group = parser.add_argument_group("repository and settings")
    group.add_argument(
        "--repo",
        type=Path,
        default=argparse.SUPPRESS,
        metavar="DIR",
        help="the repository (default: the current folder's)",
    )
    group.add_argument(
        "--set",
        action="append",
        default=argparse.SUPPRESS,
        metavar="KEY=VALUE",
        help="override a setting, e.g. thread_pool.max_concurrent=3; repeatable",
    )
    group.add_argument(
        "--trust",
        action="store_true",
        default=argparse.SUPPRESS,
        help="trust what this repository's settings name, as they are now",
    )


def add_classic(parser: argparse.ArgumentParser) -> None:
    """Add the option for the classic monitor."""
    parser.add_argument(
        "--classic",
        action="store_true",
        default=argparse.SUPPRESS,
        help="use the classic monitor: one box",
    )


def add_headless(parser: argparse.ArgumentParser, *, asks: bool = True) -> None:
    """Add the options for a run without the app.

    `asks` if the command would ask before it starts.
    """
    group = parser.add_argument_group("without the app")
    group.add_argument("--headless", action="store_true", help="run without the app")
    group.add_argument("--json", action="store_true", help="JSON Lines on stdout")
    if asks:
        group.add_argument("--yes", action="store_true", help="start without asking")


def add_slots(parser: argparse.ArgumentParser) -> None:
    """Add the option for the number of slots."""
    parser.add_argument(
        "--slots",
        type=int,
        metavar="N",
        help=f"maximum number of agents at a time, 1 to {MOST_SLOTS}",
    )


def add_runners(parser: argparse.ArgumentParser) -> None:
    """Add the option that sets an agent's runner."""
    parser.add_argument(
        "--agent",
        action=_ChosenRunner,
        default=argparse.SUPPRESS,
        metavar="NAME=RUNNER",
        help='the runner of an agent, or of all ("*"): claude, codex-acp, …',
    )


def add_wait(parser: argparse.ArgumentParser) -> None:
    """Add the option to wait for another engine."""
    parser.add_argument(
        "--wait", action="store_true", help="wait for this repository's running engine"
    )


def run_id(typed: str) -> str:
    """Return the id, or start of an id, of a run; an empty one, as of an unset variable, raises."""
    if not typed:
        raise argparse.ArgumentTypeError("it is empty; `pex-tui runs` lists the runs")
    return typed


def add_optional_run(parser: argparse.ArgumentParser, without: str = "the newest one") -> None:
    """Add an optional run."""
    parser.add_argument(
        "run",
        nargs="?",
        type=run_id,
        metavar="RUN",
        help=f"the run, or the start of its id (default: {without})",
    )


def add_json_list(parser: argparse.ArgumentParser, **default: Any) -> None:
    """Add the option for a machine-readable list."""
    parser.add_argument("--json", action="store_true", help="a JSON list on stdout", **default)
