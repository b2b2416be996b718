"""The command palette: find any active key's command by name."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from textual.binding import ActiveBinding
from textual.command import DiscoveryHit, Hit, Hits, Provider


class KeyCommands(Provider):
    """The active keys of the screen below the palette, by description."""

    async def discover(self) -> Hits:
        """Return all of them, before anything is typed."""
        for active in self._active():
            yield DiscoveryHit(self._label(active), self._command(active))

    async def search(self, query: str) -> Hits:
        """Return those whose description matches."""
        matcher = self.matcher(query)
        for active in self._active():
            label = self._label(active)
            score = matcher.match(label)
            if score > 0:
                yield Hit(score, matcher.highlight(label), self._command(active))

    def _active(self) -> Iterator[ActiveBinding]:
        seen: set[str] = set()
        for active in self.screen.active_bindings.values():
            description = active.binding.description
            if description and active.enabled and description not in seen:
                seen.add(description)
                yield active

    def _label(self, active: ActiveBinding) -> str:
        key = self.app.get_key_display(active.binding)
        return f"{active.binding.description} ({key})"

    def _command(self, active: ActiveBinding) -> Any:
        return partial(self.app.run_action, active.binding.action, active.node)
