"""Tool calls of the Agent Client Protocol, assembled from all updates about each call."""

import shlex
from typing import Any

from msgspec import Struct, field

from pex_tui.adapters.agents.agent_paths import is_own, touched
from pex_tui.adapters.agents.protocols.protocol import entries, scope_of, section, text_of, wish
from pex_tui.core.lifecycle.permissions import UNKNOWN_TOOL
from pex_tui.engine.attempt import Asked

_ENDED = frozenset({"completed", "failed", "cancelled"})
_TOOLS = {
    "execute": "Bash",
    "edit": "Edit",
    "delete": "Edit",
    "move": "Edit",
    "read": "Read",
    "fetch": "WebFetch",
    "search": "Search",
    "think": "Think",
    "switch_mode": "SwitchMode",
}
_SHELL = "Bash"
_PATH_KEYS = (
    *("file_path", "filePath", "notebook_path", "path", "abs_path", "absolute_path"),
    *("old_path", "new_path", "source", "destination", "from", "to"),
)


class _Call(Struct):
    """All that is known of one call; later values override earlier ones."""

    told: dict[str, Any] = field(default_factory=dict)
    is_open: bool = False

    def learn(self, words: dict[str, Any]) -> None:
        """Merge an update: empty values change nothing, and objects are merged."""
        grown = {
            name: {**section(self.told, name), **section(words, name)}
            for name in ("rawInput", "_meta")
        }
        kept = {name: value for name, value in words.items() if value not in (None, "", [], {})}
        self.told = {**self.told, **kept, **grown}

    def asked(self, request: str, folder: str) -> Asked:
        """Return the permission question about this call."""
        command, raw = self.command, section(self.told, "rawInput")
        kind = text_of(self.told.get("kind"))
        named = text_of(section(self.told, "_meta", "claudeCode").get("toolName"))
        tool = _SHELL if command else named or _TOOLS.get(kind, UNKNOWN_TOOL)
        paths = self.paths
        beyond = [path for path in paths if not is_own(path, folder)]
        shown = beyond if command else paths  # a command may touch the agent's own files
        places = [place for path in shown for place in touched(path, folder)]
        url = text_of(raw.get("url"))
        touches = tuple(dict.fromkeys(filter(None, [command, *places, url])))
        subject = command or ", ".join(paths) or url or self.title
        return Asked(
            request,
            tool,
            wish("" if tool == UNKNOWN_TOOL else tool, subject, folder),
            touches,
            scope_of(tool, command, touches, raw),
            edits=tool != _SHELL and _TOOLS.get(kind) == "Edit" and bool(paths) and not beyond,
        )

    @property
    def title(self) -> str:
        """The agent's title for the call."""
        return text_of(self.told.get("title"))

    @property
    def command(self) -> str:
        """The command line to be run; taken from the title for agents that state it only there."""
        raw = section(self.told, "rawInput")
        for told in (raw.get("command"), raw.get("cmd")):
            if isinstance(told, list) and told and all(isinstance(part, str) for part in told):
                return shlex.join(told)
            if text_of(told):
                return text_of(told)
        is_whole = self.told.get("kind") == "execute" and not self.title.endswith(("…", "..."))
        return self.title if is_whole else ""

    @property
    def paths(self) -> tuple[str, ...]:
        """All paths that any part of the updates names."""
        raw = section(self.told, "rawInput")
        found = [text_of(place.get("path")) for place in entries(self.told.get("locations"))]
        found += [text_of(part.get("path")) for part in entries(self.told.get("content"))]
        found += [text_of(raw.get(key)) for key in _PATH_KEYS]
        found += [path for key in ("changes", "fileChanges") for path in section(raw, key)]
        return tuple(dict.fromkeys(path for path in found if path))


class Calls:
    """The calls of one session by id, and the calls that permission was asked for."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._calls: dict[str, _Call] = {}
        self._asked: dict[str, tuple[str, Asked]] = {}

    @property
    def any_open(self) -> bool:
        """True while a tool is in use."""
        return any(call.is_open for call in self._calls.values())

    def update(self, update: dict[str, Any]) -> str:
        """Merge an update about a call and return its title.

        An id announced again is a new call.
        """
        name, is_new = text_of(update.get("toolCallId")), update.get("sessionUpdate") == "tool_call"
        known = None if is_new else self._calls.get(name)
        call = known or _Call(is_open=is_new)
        call.learn(update)
        if update.get("status") in _ENDED:
            self._calls.pop(name, None)
        else:
            self._calls[name] = call
        return call.title

    def ask(self, request: str, told: dict[str, Any]) -> Asked:
        """Return the question, from the request and from earlier updates about its call."""
        name = text_of(told.get("toolCallId"))
        call = self._calls.get(name) or _Call()
        call.learn(told)
        if name:
            self._calls[name] = call
        asked = call.asked(request, self._folder)
        self._asked[request] = name, asked
        return asked

    def is_unchanged(self, request: str) -> bool:
        """Return whether the call is still what was asked; call this once, with the answer."""
        name, asked = self._asked.pop(request, ("", None))
        call = self._calls.get(name)
        if asked is None or call is None:
            return True
        now = call.asked(request, self._folder)
        return (now.tool, now.touches) == (asked.tool, asked.touches)

    def end_turn(self) -> None:
        """Forget all calls: nothing is open between turns."""
        self._calls.clear()
