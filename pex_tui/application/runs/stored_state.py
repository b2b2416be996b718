"""A run's state from the journal."""

from msgspec.structs import replace

from pex_tui.adapters.storage.journal import SqliteJournal
from pex_tui.adapters.storage.journal_file import JournalError
from pex_tui.core.model.ids import RunId
from pex_tui.core.model.state import RunState
from pex_tui.errors import UserError


def read_state(journal: SqliteJournal, run: RunId) -> RunState:
    """Return the state after all events; raise UserError if the journal is unreadable."""
    if not journal.has(run):
        raise UserError(f"There is no run {run} here. `pex-tui runs` lists them.")
    return journal.state(run)


def known_state(journal: SqliteJournal, run: RunId) -> tuple[RunState, tuple[str, ...]]:
    """Return the run's state; if it cannot be replayed here, that of its plan, with notices.

    Its tasks are then left out: what landed is known from the run's refs.
    """
    from pex_tui.core.step import begin  # noqa: PLC0415  # large, and home needs none of it

    try:
        return read_state(journal, run), ()
    except JournalError as error:
        planned, last = journal.planned(run)
        told = (str(error), "What its branch holds is used.")
        return replace(begin(planned), seq=last, tasks=()), told
