"""`pex-tui doctor`."""

import sys
from pathlib import Path

from pex_tui.engine.session import CheckLevel
from pex_tui.headless.doctor import render_checks
from pex_tui.wiring.checks import check_all
from pex_tui.wiring.hosting import Options, await_command


def main(options: Options) -> int:
    """Say what this machine offers and lacks; 1 when a run can't work here."""
    return await_command(_doctor(options))


async def _doctor(options: Options) -> int:
    checks = await check_all(getattr(options, "repo", None) or Path.cwd())
    sys.stdout.write(render_checks(checks))
    return int(any(check.level is CheckLevel.BAD for check in checks))
