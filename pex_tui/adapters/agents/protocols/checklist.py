"""What an agent has set itself to do: the one source of its progress that is never invented."""

from msgspec import Struct, field

from pex_tui.core.sanitize import clean

DONE = "completed"
DOING = "in_progress"
_ACTIVITY_LIMIT = 200


class Item(Struct):
    """A step; `doing` is how the agent words it while it is at it."""

    title: str
    status: str
    doing: str = ""


class Checklist(Struct):
    """The steps by the agent's own names for them, in order, and what it does just now."""

    items: dict[str, Item] = field(default_factory=dict)
    latest: str = ""

    def replace(self, items: list[Item]) -> None:
        """A whole new list."""
        self.items = {str(place): item for place, item in enumerate(items)}

    @property
    def fraction(self) -> float | None:
        """Steps done of all, 0…1; None without a list."""
        if not self.items:
            return None
        return sum(item.status == DONE for item in self.items.values()) / len(self.items)

    @property
    def activity(self) -> str:
        """The step in work, else what was done last; one clean line."""
        doing = next((item for item in self.items.values() if item.status == DOING), None)
        text = (doing.doing or doing.title) if doing else self.latest
        return clean(" ".join(text.split()), _ACTIVITY_LIMIT)
