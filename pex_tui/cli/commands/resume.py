"""`pex-tui resume [RUN]`."""

import argparse
from typing import Any

from pex_tui.cli.arguments import add_classic, add_headless, add_optional_run, add_slots, add_wait
from pex_tui.cli.command import Command


class _Decided(argparse.Action):
    """An option of `run` that a run cannot change later."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Report where the option belongs."""
        del namespace, values
        then = "`pex-tui land RUN` lands what it made." if option_string == "--land" else ""
        parser.error(f"{option_string} is fixed when a run starts. {then}".rstrip())


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_optional_run(parser)
    add_slots(parser)
    add_wait(parser)
    add_classic(parser)
    add_headless(parser)
    for option in ("--fail-fast", "--land", "--include-uncommitted"):
        parser.add_argument(option, action=_Decided, nargs=0, help=argparse.SUPPRESS)
    for option in ("--name", "--agent"):
        parser.add_argument(option, action=_Decided, help=argparse.SUPPRESS)
    parser.add_argument("--background", action="store_true", help=argparse.SUPPRESS)


COMMAND = Command(
    summary="continue an interrupted run",
    description="Agents that are still at work are adopted, lost ones are retried, and nothing "
    "lands twice.",
    examples=(
        ("resume", "the newest run"),
        ("resume 7f3a --headless", "without the app"),
    ),
    add_arguments=_add_arguments,
    other_names=("continue",),
    needs_trust=True,
)


def main(options: argparse.Namespace) -> int:
    """Continue an interrupted run."""
    from pex_tui.application.terminal import is_headless

    if options.background or is_headless(options):
        from pex_tui.application.runs.headless_runs import resume

        return resume(options)
    from pex_tui.application.app.tui_runner import run_app

    return run_app(options, resume=options.run or "")
