"""`pex-tui check PLAN`."""

import sys
from pathlib import Path

from pex_tui.application.appearance import check_appearance
from pex_tui.application.command_context import Options, await_command, ground_of
from pex_tui.cli.output.check import render_check


def main(options: Options) -> int:
    """Validate a plan and print what it would do."""
    return await_command(_check(options))


async def _check(options: Options) -> int:
    ground = await ground_of(options)
    check_appearance(ground.settings, ground.environ)
    await ground.repository.head()
    draft = await ground.load_plan(Path(options.plan), slots=options.slots)
    sys.stdout.write(render_check(draft.plan, draft.graph, draft.rules))
    for notice in draft.notices:
        sys.stderr.write(f"! {notice}\n")
    return 0
