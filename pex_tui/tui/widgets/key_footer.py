"""The keys at the foot of a screen: as many as fit, none truncated."""

from msgspec import Struct
from msgspec.structs import replace
from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

_ALWAYS = frozenset({"help", "leave"})  # all others can be found from these two
_GAP = 1  # to the next key, or the frame of the palette's


class _Key(Struct, frozen=True):
    """A key as the footer shows it."""

    key: str
    name: str
    words: str
    action: str
    is_enabled: bool
    tooltip: str
    is_palette: bool = False

    @property
    def width(self) -> int:
        words = f" {self.words}" if self.words else ""
        return cell_len(self.name + words) + _GAP


class KeyFooter(Footer):
    """Omits the last of a screen's own keys if they do not fit; help shows all of them.

    Its widgets are rebuilt only if the keys look different: screens request a refresh often.
    """

    def __init__(self) -> None:
        super().__init__(compact=True)
        self._room = 0
        self._keys: list[_Key] = []

    def compose(self) -> ComposeResult:
        """Compose the keys that fit."""
        self._room = self.screen.size.width
        self._keys = self._fitting()
        for key in self._keys:
            yield FooterKey(
                key.key,
                key.name,
                key.words,
                key.action,
                disabled=not key.is_enabled,
                tooltip=key.tooltip,
                classes="-compact -command-palette" if key.is_palette else "-compact",
            )

    def bindings_changed(self, screen: Screen[object]) -> None:
        """Update: other keys may be enabled now."""
        self._bindings_ready = True
        if screen.app.app_focus and self.is_attached and screen is self.screen:
            self.call_after_refresh(self._renew)

    def on_resize(self, event: events.Resize) -> None:
        """Update: more keys fit, or fewer."""
        if event.size.width != self._room:
            self.call_after_refresh(self._renew)

    async def _renew(self) -> None:
        if self._fitting() != self._keys:
            await self.recompose()

    def _fitting(self) -> list[_Key]:
        return _fitting(self._active(), self.screen.size.width) if self._bindings_ready else []

    def _active(self) -> list[_Key]:
        """Return the enabled keys, one for each action, the palette's last."""
        active = self.screen.active_bindings
        found: dict[str, _Key] = {}
        for _, binding, enabled, tooltip in active.values():
            if binding.show and binding.action not in found:
                name = self.app.get_key_display(binding)
                found[binding.action] = _Key(
                    binding.key, name, binding.description, binding.action, enabled, tooltip
                )
        keys = list(found.values())
        palette = active.get(self.app.COMMAND_PALETTE_BINDING)
        if palette is not None and self.app.ENABLE_COMMAND_PALETTE:
            binding = palette.binding
            keys.append(
                _Key(
                    binding.key,
                    self.app.get_key_display(binding),
                    binding.description,
                    binding.action,
                    palette.enabled,
                    binding.tooltip or binding.description,
                    is_palette=True,
                )
            )
        return keys


def _fitting(keys: list[_Key], room: int) -> list[_Key]:
    """Drop the words of the palette's key first, then the last of the other keys."""
    left = room - sum(key.width for key in keys)
    kept = list(keys)
    for key in reversed(keys):
        if left >= 0:
            break
        if key.is_palette:
            kept[-1] = replace(key, words="")
            left += key.width - kept[-1].width
        elif key.action not in _ALWAYS:
            left += key.width
            kept.remove(key)
    return kept
