"""`pex-tui trust`: allow this repository's settings to run what they name."""

import sys
from argparse import Namespace

from pex_tui.cli.command import Command

COMMAND = Command(
    summary="say that this repository's settings may run what they name",
    description="Shows what they name. A change is asked about again.",
    examples=(("trust", "after you have looked at .pex/pex.yaml"),),
)


def main(options: Namespace) -> int:
    """Show what the repository's settings name, and trust it from now on."""
    from pex_tui.application.project.command_context import await_command

    return await_command(_trust(options))


async def _trust(options: Namespace) -> int:
    from pex_tui.application.project.command_context import project_of
    from pex_tui.application.project.settings_trust import check_trust, powers_of

    project = await project_of(options)
    named = powers_of(project)
    await check_trust(project, trusts=True)
    for line in named:
        sys.stdout.write(f"  {line}\n")
    what = "is trusted; a change is asked about again" if named else "nothing needs trust"
    sys.stdout.write(f"In this repository {what}.\n")
    return 0
