"""Write settings, Claude Code's /execute and a workflow for a repository."""

import sys
from pathlib import Path

from pex_tui.adapters.git.plumbing.repository import discover, shown_path
from pex_tui.adapters.library.file_installer import Fate, Placement, place, survey
from pex_tui.application.project.command_context import Options, await_command
from pex_tui.application.project.init_files import PURPOSES, starter_files

_NEXT = """\
Look at the files and commit them. Then, in Claude Code: /execute GOAL
Without it: pex-tui plan "GOAL" -o plan.yaml; `pex-tui doctor` says what this machine offers.
"""


def init(options: Options) -> int:
    """Write the starter files; existing files are kept without --force."""
    return await_command(_init(options))


async def _init(options: Options) -> int:
    repository = await discover(getattr(options, "repo", None) or Path.cwd())
    placements = survey(repository.top_level, starter_files(), force=options.force)
    place(placements)
    sys.stdout.write(f"In {shown_path(repository.top_level)}:\n")
    width = max(len(placement.file.path) for placement in placements)
    for placement in placements:
        path = placement.file.path
        sys.stdout.write(f"  {placement.fate:<9}  {path:<{width}}  {_why(placement)}\n")
    sys.stderr.write(_NEXT)
    return 0


def _why(placement: Placement) -> str:
    match placement.fate:
        case Fate.KEPT:
            return "exists with different content; --force overwrites it"
        case Fate.UNCHANGED:
            return "exists and is up to date"
        case Fate.WROTE | Fate.REPLACED:
            return PURPOSES[placement.file.path]
