"""The screens by name, with the key and the title of each."""

from typing import NamedTuple


class Mode(NamedTuple):
    """A screen: its module in `screens`, its class, its key and its title."""

    name: str
    screen: str
    key: str = ""
    title: str = ""

    @property
    def key_id(self) -> str:
        """The id by which a keymap remaps the key."""
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
