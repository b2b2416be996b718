"""`pex-tui report [RUN]`."""

import sys

from pex_tui.application.command_context import Options, await_command, ground_of
from pex_tui.application.headless_driver import read_report
from pex_tui.application.lost_runs import telling_of_lost
from pex_tui.reports.formats import FORMATS


def main(options: Options) -> int:
    """Print a run's report."""
    return await_command(_report(options))


async def _report(options: Options) -> int:
    ground = await ground_of(options)
    async with telling_of_lost(ground, options.run):
        report = read_report(ground, options.run)
    sys.stdout.write(FORMATS[options.format](report))
    return 0
