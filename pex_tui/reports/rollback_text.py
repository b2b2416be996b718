"""The description of a rollback, in lines for a terminal or a dialog."""

from collections.abc import Iterator

from pex_tui.core.formatting import counted
from pex_tui.core.undo_values import RollbackPreview


def rollback_lines(preview: RollbackPreview) -> Iterator[str]:
    """Yield what a rollback will do, a line for each branch."""
    plan = preview.plan
    yield f"Run {plan.run}: rolls back {', '.join(plan.tasks)}"
    if plan.is_whole:
        yield f"  {plan.branch} goes back from {plan.tip[:10]} to its base {plan.base[:10]}"
    else:
        yield f"  {plan.branch} gets {counted(len(plan.tasks), 'revert commit')}"
    if plan.target:
        yield f"  {plan.target} gets {counted(len(plan.commits), 'revert commit')}"
    if preview.staying:
        yield f"  Stays landed, although it needs them: {', '.join(preview.staying)}"
