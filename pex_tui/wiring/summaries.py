"""Runs in one line each, from the journal and the lock."""

from pex_tui.adapters.engine_lock import Holder
from pex_tui.core.state import Outcome
from pex_tui.engine.session import RunSummary
from pex_tui.wiring.ground import Ground
from pex_tui.wiring.sessions import read_state


def summaries(ground: Ground, holder: Holder | None) -> tuple[RunSummary, ...]:
    """All runs, newest first."""
    if not ground.places.journal.exists():
        return ()
    journal = ground.open_journal()
    try:
        return tuple(
            RunSummary(
                run=row.run,
                goal=row.goal,
                created_at=row.created_at,
                outcome=row.outcome,
                landed=row.landed,
                tasks=row.tasks,
                seconds=row.last_at - row.created_at,
                open_conflicts=(
                    len(read_state(journal, row.run).open_conflicts)
                    if row.outcome is Outcome.CONFLICTS
                    else 0
                ),
                is_live=holder is not None and holder.run == row.run,
            )
            for row in journal.runs()
        )
    finally:
        journal.close_now()
