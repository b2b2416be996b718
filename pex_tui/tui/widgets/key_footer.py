"""The keys at the foot of a screen: as many as there is room for, and none cut in two."""

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

_ALWAYS = frozenset({"help", "leave"})  # from these two all others can be found
_PALETTE = "-command-palette"
_GAP = 1  # to the next key, or the frame of the palette's


class KeyFooter(Footer):
    """Leaves out the last of a screen's own keys where they don't fit; help tells them all."""

    def __init__(self) -> None:
        super().__init__(compact=True)
        self._room = 0

    def compose(self) -> ComposeResult:
        """The keys that fit."""
        self._room = self.screen.size.width
        yield from _fitting(
            [key for key in super().compose() if isinstance(key, FooterKey)], self._room
        )

    def on_resize(self, event: events.Resize) -> None:
        """More keys fit, or fewer."""
        if event.size.width != self._room:
            self.call_after_refresh(self.recompose)


def _fitting(keys: list[FooterKey], room: int) -> list[FooterKey]:
    """The palette's key first loses its words, then the last of the others go."""
    left = room - sum(map(_width, keys))
    kept = list(keys)
    for key in reversed(keys):
        if left >= 0:
            break
        left += _width(key)
        if key.has_class(_PALETTE):
            key.description = ""
            left -= _width(key)
        elif key.action in _ALWAYS:
            left -= _width(key)
        else:
            kept.remove(key)
    return kept


def _width(key: FooterKey) -> int:
    words = f" {key.description}" if key.description else ""
    return cell_len(key.key_display + words) + _GAP
