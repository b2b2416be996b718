"""Names for runs: four hexadecimal digits, or what the user said."""

import re
import secrets

from pex_tui.adapters.journal import SqliteJournal
from pex_tui.core.ids import RunId
from pex_tui.errors import UserError
from pex_tui.wiring.ground import Ground

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


async def new_run_id(ground: Ground, journal: SqliteJournal, name: str | None) -> RunId:
    """An id that no run and no branch has; raise UserError for a name that can't be one."""
    taken = {row.run for row in journal.runs()} | await _branches(ground)
    if name is None:
        while (found := RunId(secrets.token_hex(2))) in taken:
            pass
        return found
    if not _NAME.fullmatch(name):
        raise UserError(
            f"--name {name!r}: a run's name is small letters, digits and dashes, at most 40, "
            "with a letter or digit at either end."
        )
    if RunId(name) in taken:
        raise UserError(f"There is a run {name} already. Choose another --name.")
    return RunId(name)


async def _branches(ground: Ground) -> set[RunId]:
    listing = await ground.repository.git.run(
        "for-each-ref", "--format=%(refname)", "refs/heads/pex/", "refs/pex/"
    )
    names = {
        line.removeprefix("refs/heads/pex/").removeprefix("refs/pex/")
        for line in listing.text.splitlines()
    }
    return {RunId(name.partition("/")[0]) for name in names}
