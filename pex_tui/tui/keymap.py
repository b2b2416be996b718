"""Keys that the configuration remaps: `keymap: {agent.retry: ctrl+r}`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from textual.binding import Binding
from textual.keys import Keys, _character_to_key, key_to_character

from pex_tui.core.sanitize import clean
from pex_tui.errors import UserError
from pex_tui.tui.keyboard.app_keys import APP_KEYS
from pex_tui.tui.look import Places, place_of
from pex_tui.tui.modes import CLASSIC, MODES
from pex_tui.tui.screen_factory import load_screen

if TYPE_CHECKING:
    from textual.dom import DOMNode

_MODIFIERS = frozenset({"ctrl", "alt", "shift", "meta", "super", "hyper"})
_NAMED = frozenset(str(key.value) for key in Keys)
_OF_FIELDS = frozenset(
    {"enter", "escape", "tab", "shift+tab", "backspace", "delete", "space"}
    | {"left", "right", "up", "down", "home", "end"}
)


def check_keymap(keymap: Mapping[str, str], places: Places) -> None:
    """Raise UserError with every problem: unknown names, unknown keys, keys with two actions.

    `places` has the file and line of each setting.
    """
    if not keymap:
        return
    scopes = _scopes()
    known = {one.id: one for bindings in scopes.values() for one in bindings if one.id}
    problems = [(name, _near(name, known)) for name in sorted(set(keymap) - set(known))]
    moved = {name: _keys(keys) for name, keys in keymap.items() if name in known}
    for name, keys in moved.items():
        problems += [(name, _no_key(name, key)) for key in keys if not _is_key(key)]
        if known[name].priority:
            hidden = [key for key in keys if key in _OF_FIELDS or len(key) == 1]
            problems += [(name, _hides(name, key)) for key in hidden]
    for scope, bindings in scopes.items():
        problems += _taken(scope, bindings, moved)
    if problems:
        raise UserError(
            "the configuration's keymap can't be used; nothing was started.",
            problems=tuple(
                f"{place_of(places, 'keymap', name)}keymap: {text}"
                for name, text in dict.fromkeys(problems)
            ),
        )


def key_ids() -> frozenset[str]:
    """Return the binding id of every key that can be remapped."""
    return frozenset(one.id for bindings in _scopes().values() for one in bindings if one.id)


def _scopes() -> dict[str, tuple[Binding, ...]]:
    """Return the sets of bindings that are active together: those of a screen and of the app."""
    screens = [load_screen(mode) for mode in (*MODES, CLASSIC)]
    return {screen.PLACE: tuple(_bindings((screen, *screen.HEARD_WITH))) for screen in screens}


def _bindings(kinds: Iterable[type[DOMNode]]) -> Iterator[Binding]:
    """Yield the bindings of the app and of these classes, including inherited ones of ours."""
    yield from Binding.make_bindings(APP_KEYS)
    for kind in kinds:
        for one in kind.__mro__:
            if one.__module__.startswith("pex_tui."):
                yield from Binding.make_bindings(vars(one).get("BINDINGS", ()))


def _taken(
    scope: str, bindings: Iterable[Binding], moved: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[str, str]]:
    """Yield remapped actions and the keys that each would share with another active one."""
    holders: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for binding in bindings:
        name = binding.id or binding.description
        for key in moved.get(binding.id or "", (binding.key,)):
            holders[key].setdefault(name, binding.description)
    for key, names in holders.items():
        if len(names) > 1 and not moved.keys().isdisjoint(names):
            mine = next(name for name in names if name in moved)
            others = " and ".join(sorted(name for name in names if name != mine))
            text = f"{clean(_short(key))} in {scope} is for {others}; {mine} can't have it as well."
            yield mine, text


def _keys(text: str) -> tuple[str, ...]:
    """Return the keys of a comma-separated list, by Textual's names."""
    keys = (
        key.strip() if key != "," else "," for key in (text.split(",") if text != "," else [text])
    )
    return tuple(_character_to_key(key) if len(key) == 1 else key for key in keys)


def _short(key: str) -> str:
    return key_to_character(key) or key


def _is_key(key: str) -> bool:
    *modifiers, base = key.split("+")
    is_known = base in _NAMED or len(base) == 1 or key_to_character(base) is not None
    return bool(base) and is_known and _MODIFIERS.issuperset(modifiers)


def _no_key(name: str, key: str) -> str:
    return f'{name}: "{clean(key, 60)}" is not a key. Write e.g. p, ctrl+r, f8 or question_mark.'


def _hides(name: str, key: str) -> str:
    return f"{name}: {clean(_short(key))} is needed for typing; this one acts in fields too."


def _near(name: str, known: Mapping[str, Binding]) -> str:
    near = get_close_matches(name, known, 1, 0.5)
    hint = f'Did you mean "{near[0]}"?' if near else f"There are: {', '.join(sorted(known))}"
    return f'there is no key "{clean(name, 60)}". {hint}'
