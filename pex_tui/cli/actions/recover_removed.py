"""List the undo log, or restore an entry of it."""

import sys

from msgspec import to_builtins

from pex_tui.application.project.command_context import Options, await_command, project_of
from pex_tui.application.runs.engine_lock import take_lock
from pex_tui.application.runs.recovery import restore
from pex_tui.application.runs.rollback import finish_rollbacks, undo_log
from pex_tui.application.runs.runs import YOU
from pex_tui.cli.output.rollback import render_undo_log
from pex_tui.reports.json_text import json_text


def recover(options: Options) -> int:
    """List the undo log, or restore an entry of it."""
    return await_command(_recover(options))


async def _recover(options: Options) -> int:
    project = await project_of(options)
    log = undo_log(project)
    if options.id is None:
        entries = log.entries()
        listed = [to_builtins(one) | {"until": one.until} for one in entries]
        shown = json_text(listed, indent=2) + "\n" if options.json else render_undo_log(entries)
        sys.stdout.write(shown)
        return 0
    lock = await take_lock(project.places.lock)
    try:
        for line in await finish_rollbacks(project):
            sys.stderr.write(f"{line}\n")
        entry = log.find(options.id)
        restored = await restore(project, entry, YOU)
    finally:
        lock.release()
    if options.json:
        sys.stdout.write(json_text({"id": entry.id, "restored": list(restored)}) + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in ("Restored:", *restored)))
    return 0
