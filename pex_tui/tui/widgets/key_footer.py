"""The keys at the foot of a screen: as many as fit, none truncated."""

from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.reactive import reactive
from textual.screen import Screen
from textual.strip import Strip

from pex_tui.tui.widgets.painting import Painted

_ALWAYS = frozenset({"help", "leave"})  # all others can be found from these two
_GAP = 1  # to the next key, or the frame of the palette's
_FRAME = "▏"


class FooterKey(Struct, frozen=True):
    """A key as the footer shows it."""

    key: str
    name: str
    words: str
    action: str
    is_enabled: bool
    tooltip: str
    is_palette: bool = False

    @property
    def text(self) -> str:
        """The name and the words."""
        return f"{self.name} {self.words}".rstrip()

    @property
    def width(self) -> int:
        """The width in cells, with the gap after the key."""
        return cell_len(self.text) + _GAP


class KeyFooter(Painted):
    """Omits the last of a screen's own keys if they do not fit; help shows all of them.

    It paints one line: screens request a refresh often, and a widget for each key would require
    a new layout of the whole screen each time.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "key-footer--key",
        "key-footer--words",
        "key-footer--frame",
        "key-footer--hover",
    }
    keys: reactive[tuple[FooterKey, ...]] = reactive(())
    _under_mouse: reactive[FooterKey | None] = reactive(None)

    def on_mount(self) -> None:
        """Subscribe to changes of the keys."""
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def _bindings_changed(self, screen: Screen[object]) -> None:
        """Update: other keys may be enabled now."""
        if screen.app.app_focus and screen is self.screen:
            self.call_after_refresh(self._renew)

    def on_resize(self) -> None:
        """Update: more keys fit, or fewer."""
        if self.keys:
            self.call_after_refresh(self._renew)

    def _renew(self) -> None:
        self.keys = tuple(_fitting(self._active(), self.screen.size.width))

    @property
    def places(self) -> list[tuple[range, FooterKey]]:
        """Each key with its cells, from left to right; that of the palette before the last cell."""
        placed, at = [], 0
        for key in self.keys:
            if key.is_palette:
                at = self.size.width - key.width
            placed.append((range(at, at + key.width - _GAP), key))
            at += key.width
        return placed

    def _key_at(self, x: int) -> FooterKey | None:
        return next((key for cells, key in self.places if x in cells), None)

    def render_line(self, y: int) -> Strip:
        """Paint the line."""
        del y
        base = self.rich_style
        segments: list[Segment] = []
        at = 0
        for cells, key in self.places:
            if key.is_palette and self.symbols.name != "ascii":
                gap = max(0, cells.start - _GAP - at)
                frame = Segment(_FRAME, self.get_component_rich_style("key-footer--frame"))
                segments += [Segment(" " * gap, base), frame]
            else:
                segments.append(Segment(" " * (cells.start - at), base))
            segments += self._painted(key)
            at = cells.stop
        strip = Strip([segment for segment in segments if segment.text])
        return strip.adjust_cell_length(self.size.width, base)

    def _painted(self, key: FooterKey) -> list[Segment]:
        hover = key == self._under_mouse
        under = self.get_component_rich_style("key-footer--hover", partial=True) if hover else None
        dim = None if key.is_enabled else Style(dim=True)
        name, words = (
            self.get_component_rich_style(f"key-footer--{part}") + under + dim
            for part in ("key", "words")
        )
        return [Segment(key.name, name), Segment(key.text.removeprefix(key.name), words)]

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Highlight the key that a click would press, and set its tooltip."""
        self._under_mouse = key = self._key_at(event.x)
        self.tooltip = key.tooltip or None if key else None

    def on_leave(self) -> None:
        """Remove the highlight."""
        self._under_mouse = None

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Press the key."""
        key = self._key_at(event.x)
        if key is not None and key.is_enabled:
            self.app.simulate_key(key.key)
        elif key is not None:
            self.app.bell()

    def _active(self) -> list[FooterKey]:
        """Return the enabled keys, one for each action, the palette's last."""
        active = self.screen.active_bindings
        found: dict[str, FooterKey] = {}
        for _, binding, enabled, tooltip in active.values():
            if binding.show and binding.action not in found:
                name = self.app.get_key_display(binding)
                found[binding.action] = FooterKey(
                    binding.key, name, binding.description, binding.action, enabled, tooltip
                )
        keys = list(found.values())
        palette = active.get(self.app.COMMAND_PALETTE_BINDING)
        if palette is not None and self.app.ENABLE_COMMAND_PALETTE:
            binding = palette.binding
            keys.append(
                FooterKey(
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


def _fitting(keys: list[FooterKey], room: int) -> list[FooterKey]:
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
