"""`pex-tui trust`: allow this repository's settings to run what they name."""

import sys
from argparse import Namespace

from pex_tui.cli.command import Command

COMMAND = Command(
    summary="allow what this repository's settings run",
    description="Shows what they run first. After a change you are asked again.",
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
    trusted = "This is trusted now; after a change you are asked again."
    sys.stdout.write(f"{trusted if named else 'Nothing in this repository needs trust.'}\n")
    return 0
