"""`pex-tui trust`: say that this repository's settings may run what they name."""

import sys

from pex_tui.application.command_context import Options, await_command, ground_of
from pex_tui.application.settings_trust import check_trust, powers_of


def main(options: Options) -> int:
    """Show what the repository's settings name, and trust it from now on."""
    return await_command(_trust(options))


async def _trust(options: Options) -> int:
    ground = await ground_of(options)
    named = powers_of(ground)
    await check_trust(ground, trusts=True)
    for line in named:
        sys.stdout.write(f"  {line}\n")
    what = "is trusted; a change is asked about again" if named else "nothing needs trust"
    sys.stdout.write(f"In this repository {what}.\n")
    return 0
