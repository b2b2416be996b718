"""A run's state as the journal tells it."""

from pex_tui.adapters.storage.journal import SqliteJournal
from pex_tui.core.model.ids import RunId
from pex_tui.core.model.state import RunState
from pex_tui.errors import UserError


def read_state(journal: SqliteJournal, run: RunId) -> RunState:
    """The state after all that was written; raise UserError when it can't be read."""
    if not journal.has(run):
        raise UserError(f"There is no run {run} here. `pex-tui runs` lists them.")
    return journal.state(run)
