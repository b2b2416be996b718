"""An agent's own to-do list: the only source of its progress, which is never estimated."""

from msgspec import Struct, field

from pex_tui.core.sanitize import clean

DONE = "completed"
DOING = "in_progress"
_ACTIVITY_LIMIT = 200


class Item(Struct):
    """One step; `doing` is the agent's wording while the step is in progress."""

    title: str
    status: str
    doing: str = ""


class Checklist(Struct):
    """The steps in order, by the agent's own names, and the step in progress."""

    items: dict[str, Item] = field(default_factory=dict)
    latest: str = ""

    def replace(self, items: list[Item]) -> None:
        """Replace the whole list."""
        self.items = {str(place): item for place, item in enumerate(items)}

    @property
    def fraction(self) -> float | None:
        """Finished steps divided by all steps, 0…1; None without a list."""
        if not self.items:
            return None
        return sum(item.status == DONE for item in self.items.values()) / len(self.items)

    @property
    def activity(self) -> str:
        """The step in progress, else the latest activity; one clean line."""
        doing = next((item for item in self.items.values() if item.status == DOING), None)
        text = (doing.doing or doing.title) if doing else self.latest
        return clean(" ".join(text.split()), _ACTIVITY_LIMIT)
