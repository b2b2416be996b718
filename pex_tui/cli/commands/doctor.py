"""`pex-tui doctor`."""

import sys
from pathlib import Path

from pex_tui.application.command_context import Options, await_command
from pex_tui.application.doctor_checks import check_all
from pex_tui.cli.output.doctor import render_checks
from pex_tui.engine.session import CheckLevel


def main(options: Options) -> int:
    """Say what this machine offers and lacks; 1 when a run can't work here."""
    return await_command(_doctor(options))


async def _doctor(options: Options) -> int:
    checks = await check_all(getattr(options, "repo", None) or Path.cwd())
    sys.stdout.write(render_checks(checks))
    return int(any(check.level is CheckLevel.BAD for check in checks))
