"""The screens by name, and the keys that open them."""

from typing import NamedTuple


class Mode(NamedTuple):
    """A screen: its module in `screens`, its class, and what opens it under which title."""

    name: str
    screen: str
    key: str = ""
    title: str = ""

    @property
    def key_id(self) -> str:
        """The name by which a keymap moves the key."""
        return f"app.{self.title.lower()}"


MODES = (
    Mode("home", "HomeScreen", "f1", "Home"),
    Mode("plan", "PlanScreen", "f2", "Plan"),
    Mode("monitor", "MonitorScreen", "f3", "Monitor"),
    Mode("conflict", "ConflictScreen", "f4", "Conflicts"),
    Mode("history", "HistoryScreen", "f5", "History"),
    Mode("inbox", "InboxScreen", "f6", "Inbox"),
)
CLASSIC = Mode("classic", "ClassicScreen")
"""The specification's box, in place of the monitor."""
