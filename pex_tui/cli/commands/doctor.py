"""`pex-tui doctor`."""

import sys
from argparse import Namespace
from pathlib import Path

from pex_tui.cli.command import Command

COMMAND = Command(
    summary="check this machine and repository",
    description="Checks git, the agents' programs, the terminal and the configuration; exit code 1 "
    "when a run can't work here.",
    examples=(("doctor", "in the current repository"),),
    is_open_to_agents=True,
)


def main(options: Namespace) -> int:
    """Print what this machine offers and lacks; return 1 if a run cannot work here."""
    from pex_tui.application.project.command_context import await_command

    return await_command(_doctor(options))


async def _doctor(options: Namespace) -> int:
    from pex_tui.application.project.doctor_checks import check_all
    from pex_tui.cli.output.doctor import render_checks
    from pex_tui.engine.session import CheckLevel

    checks = await check_all(getattr(options, "repo", None) or Path.cwd())
    sys.stdout.write(render_checks(checks))
    return int(any(check.level is CheckLevel.BAD for check in checks))
