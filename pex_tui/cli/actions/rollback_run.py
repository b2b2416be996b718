"""Show what a rollback does, ask, and do it."""

import sys

from msgspec import to_builtins

from pex_tui.application.project.command_context import Options, await_command, project_of
from pex_tui.application.runs.engine_lock import take_lock
from pex_tui.application.runs.rollback import finish_rollbacks, preview_rollback, roll_back
from pex_tui.application.runs.runs import YOU
from pex_tui.cli.output.rollback import render_rollback
from pex_tui.core.model.ids import TaskId
from pex_tui.core.undo_values import RollbackPreview
from pex_tui.reports.json_text import json_text

_NOT_DONE = 1


def rollback(options: Options) -> int:
    """Undo what a run landed."""
    return await_command(_rollback(options))


async def _rollback(options: Options) -> int:
    project = await project_of(options)
    lock = await take_lock(project.places.lock)
    try:
        finished = await finish_rollbacks(project)
        for line in finished:
            _note(line)
        if any(f"rollback of run {options.run} " in line for line in finished):
            return 0
        preview = await preview_rollback(
            project, options.run, tuple(TaskId(name) for name in options.tasks)
        )
        for line in preview.notices:
            _note(f"! {line}")
        if not options.json:
            sys.stdout.write(render_rollback(preview))
        if not _is_wanted(options):
            if options.json:
                _print(preview, "")
            return _NOT_DONE
        done = await roll_back(project, preview, YOU)
    finally:
        lock.release()
    if options.json:
        _print(preview, done.undo)
    else:
        sys.stdout.write(f"Rolled back. `pex-tui recover {done.undo}` brings it back.\n")
    for line in done.notices:
        _note(f"! {line}")
    return 0


def _is_wanted(options: Options) -> bool:
    if options.yes:
        return True
    if options.json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        _note("Nothing was changed: there is no terminal to ask on. Add --yes.")
        return False
    sys.stdout.write("Roll back? [y/N] ")
    sys.stdout.flush()
    if sys.stdin.readline().strip().lower() in {"y", "yes"}:
        return True
    _note("Nothing was changed.")
    return False


def _print(preview: RollbackPreview, undo: str) -> None:
    told = {**to_builtins(preview.plan), "staying": list(preview.staying), "undo": undo or None}
    sys.stdout.write(json_text(told, indent=2) + "\n")


def _note(text: str) -> None:
    sys.stderr.write(f"{text}\n")
