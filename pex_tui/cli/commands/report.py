"""`pex-tui report [RUN]`."""

import sys
from argparse import ArgumentParser, Namespace

from pex_tui.cli.arguments import add_optional_run
from pex_tui.cli.command import Command


def _add_arguments(parser: ArgumentParser) -> None:
    add_optional_run(parser)
    parser.add_argument(
        "--format",
        choices=("text", "json", "md", "html"),
        default="text",
        help="text (the default), json, md or html",
    )


COMMAND = Command(
    summary="show a run's report",
    description="Figures, the timeline, and each conflict with how it was resolved.",
    examples=(
        ("report", "the newest run"),
        ("report 7f3a --format html > report.html", "a page to share"),
    ),
    add_arguments=_add_arguments,
    other_names=("show",),
    is_open_to_agents=True,
)


def main(options: Namespace) -> int:
    """Print a run's report."""
    from pex_tui.application.project.command_context import await_command

    return await_command(_report(options))


async def _report(options: Namespace) -> int:
    from pex_tui.application.project.command_context import project_of
    from pex_tui.application.runs.headless_driver import read_report
    from pex_tui.application.runs.lost_runs import telling_of_lost
    from pex_tui.reports.formats import FORMATS

    project = await project_of(options)
    async with telling_of_lost(project, options.run):
        report = read_report(project, options.run)
    sys.stdout.write(FORMATS[options.format](report))
    return 0
