"""Keys that the configuration moves: `keymap: {agent.retry: ctrl+r}`."""

from collections.abc import Mapping
from difflib import get_close_matches

from pex_tui.core.text import clean
from pex_tui.errors import UserError

_NAMES = """
    app.help app.home app.plan app.monitor app.conflicts app.history app.inbox app.palette app.leave
    app.interrupt app.quit
    agent.pause agent.boost agent.retry agent.abort agent.conflict agent.message agent.copy
    run.inbox run.pause run.boost run.abort run.more run.fewer run.land
    list.filter list.sort list.view agents.mark agents.open
    detail.follow detail.log detail.diff detail.prompt detail.info
    panel.before panel.next panel.back
    home.run home.goal home.plan home.demo
    plan.approve plan.edit plan.new plan.drop plan.link plan.toggle plan.undo plan.redo plan.what_if
    plan.warnings plan.save plan.left plan.right plan.back
    conflict.ours conflict.theirs conflict.both conflict.edit conflict.rerun conflict.next
    conflict.previous conflict.next_file conflict.previous_file conflict.undo conflict.merge
    conflict.check conflict.apply conflict.back
    inbox.once inbox.always inbox.deny inbox.back
    history.compare history.rerun history.export history.copy history.back
"""
KEY_IDS = frozenset(_NAMES.split())
"""Every key that can be moved, by its binding's id."""


def check_keymap(keymap: Mapping[str, str]) -> None:
    """Raise UserError with every name that is no key of ours, and what it may have meant."""
    unknown = sorted(set(keymap) - KEY_IDS)
    if unknown:
        raise UserError(
            "the configuration's keymap names keys that don't exist; nothing was started.",
            problems=tuple(f"keymap: {_near(name)}" for name in unknown),
        )


def _near(name: str) -> str:
    near = get_close_matches(name, KEY_IDS, 1, 0.5)
    hint = f'Did you mean "{near[0]}"?' if near else f"There are: {', '.join(sorted(KEY_IDS))}"
    return f'there is no key "{clean(name, 60)}". {hint}'
