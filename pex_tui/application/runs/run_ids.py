"""Run ids: four hexadecimal digits, or a name given by the user."""

import asyncio
import re
import secrets

from pex_tui.adapters.git.plumbing.filesystem import remove_tree
from pex_tui.adapters.storage.journal import SqliteJournal
from pex_tui.application.project.project import Project
from pex_tui.core.model.ids import RunId
from pex_tui.core.model.run_refs import BRANCHES, ROOT
from pex_tui.errors import UserError

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


async def new_run_id(project: Project, journal: SqliteJournal, name: str | None) -> RunId:
    """Return an unused id, without what a killed start left of it; raise UserError for a bad name.

    The caller holds the engine lock.
    """
    run = await _unused_id(project, journal, name)
    await asyncio.to_thread(remove_tree, project.places.run(run))
    return run


async def _unused_id(project: Project, journal: SqliteJournal, name: str | None) -> RunId:
    known = {row.run for row in journal.runs()}
    traced = await traced_runs(project)
    if name is None:
        while (found := RunId(secrets.token_hex(2))) in known | traced:
            pass
        return found
    if not _NAME.fullmatch(name):
        raise UserError(
            f"--name {name!r}: a run's name is small letters, digits and dashes, at most 40, "
            "with a letter or digit at either end."
        )
    if RunId(name) in known:
        raise UserError(f"There is a run {name} already. Choose another --name.")
    if RunId(name) in traced:
        raise UserError(
            f"Refs or logs of an earlier run {name} are still here. Choose another --name, or "
            f"see what `pex-tui clean {name}` would remove."
        )
    return RunId(name)


async def traced_runs(project: Project) -> set[RunId]:
    """Return the runs with a branch, refs or attempts here, whether or not the journal has them."""
    return {*await trace_times(project)}


async def trace_times(project: Project) -> dict[RunId, float]:
    """Return these runs with the time of their latest trace, in absolute seconds."""
    listing = await project.repository.git.run(
        "for-each-ref", "--format=%(committerdate:unix) %(refname)", BRANCHES, ROOT
    )
    found: dict[RunId, float] = {}
    for line in listing.text.splitlines():
        at, _, ref = line.partition(" ")
        name = ref.removeprefix(f"{BRANCHES}/").removeprefix(f"{ROOT}/").partition("/")[0]
        _note(found, name, float(at or 0))
    for folder in project.places.root.glob("runs/*/[!.]*/"):  # of tasks
        _note(found, folder.parent.name, folder.stat().st_mtime)
    return found


def _note(found: dict[RunId, float], name: str, at: float) -> None:
    if _NAME.fullmatch(name):
        found[RunId(name)] = max(at, found.get(RunId(name), 0.0))
