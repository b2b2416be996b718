"""Write settings, Claude Code's /execute and a workflow for a repository."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pex_tui.adapters.git.maintenance.undo_log import UndoLog
from pex_tui.adapters.git.plumbing.filesystem import remove_tree
from pex_tui.adapters.git.plumbing.repository import Repository, discover, shown_path
from pex_tui.adapters.git.user_repository.state_directory import state_directory
from pex_tui.adapters.library.file_installer import Fate, Placement, place, survey
from pex_tui.application.project.command_context import Options, await_command
from pex_tui.application.project.init_files import PURPOSES, starter_files
from pex_tui.core.model.ids import RunId
from pex_tui.core.undo_values import UndoEntry
from pex_tui.engine.run_paths import RunPaths
from pex_tui.errors import UserError

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
    _keep_replaced(repository, placements)
    place(placements)
    sys.stdout.write(f"In {shown_path(repository.top_level)}:\n")
    width = max(len(placement.file.path) for placement in placements)
    for placement in placements:
        path = placement.file.path
        sys.stdout.write(f"  {placement.fate:<9}  {path:<{width}}  {_why(placement)}\n")
    sys.stderr.write(_NEXT)
    return 0


def _keep_replaced(repository: Repository, placements: Sequence[Placement]) -> None:
    """Keep in the undo log the files that are about to be replaced; raise UserError."""
    paths = [each.target for each in placements if each.fate is Fate.REPLACED]
    if not paths:
        return
    log = UndoLog(repository.git, RunPaths(state_directory(repository)))
    size = sum(path.stat().st_size for path in paths)
    what, files = ", ".join(path.name for path in paths), tuple(map(str, paths))
    entry = UndoEntry(
        log.new_id(), time.time(), "init --force", RunId(""), what, files=files, size_bytes=size
    )
    try:
        log.write(entry)
        for path in paths:
            log.copy_file(entry, path)
    except OSError as error:
        remove_tree(log.folder(entry.id))
        raise UserError(
            f"What is there can't be kept first: {error.strerror}. Nothing was written."
        ) from error


def _why(placement: Placement) -> str:
    match placement.fate:
        case Fate.KEPT:
            return "exists with different content; --force overwrites it"
        case Fate.UNCHANGED:
            return "exists and is up to date"
        case Fate.WROTE | Fate.REPLACED:
            return PURPOSES[placement.file.path]
