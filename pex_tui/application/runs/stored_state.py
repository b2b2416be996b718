"""A run's state from the journal."""

from pex_tui.adapters.storage.journal import SqliteJournal
from pex_tui.core.model.ids import RunId
from pex_tui.core.model.state import RunState
from pex_tui.errors import UserError


def read_state(journal: SqliteJournal, run: RunId) -> RunState:
    """Return the state after all events; raise UserError if the journal is unreadable."""
    if not journal.has(run):
        raise UserError(f"There is no run {run} here. `pex-tui runs` lists them.")
    return journal.state(run)
