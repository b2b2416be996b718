"""Help: the keys in three columns, and what the symbols mean."""

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from pex_tui.core.marks import Mark

if TYPE_CHECKING:
    from pex_tui.tui.app import PexApp

_MOVE = (
    ("j k ↑ ↓", "select"),
    ("h l tab", "next panel"),
    ("g G", "top, bottom"),
    ("1 – 4", "detail tab"),
    ("⏎", "zoom, open"),
    ("esc", "back"),
    ("F1 – F5", "home plan monitor"),
    ("", "conflicts history"),
)
_AGENT = (
    ("p", "pause, resume"),
    ("b", "boost"),
    ("a", "abort (asks)"),
    ("r", "run again"),
    ("c", "open conflict"),
    ("space", "mark many"),
    ("y", "copy its ref"),
    ("f", "follow the log"),
)
_RUN = (
    ("P", "pause, resume all"),
    ("B", "emergency boost"),
    ("A", "abort the run (asks)"),
    ("+ -", "more, fewer slots"),
    ("L", "land on your branch"),
    ("/ s v", "filter sort cards"),
    (": ^p", "all commands"),
    ("q", "leave; it can go on"),
)
_WIDTH = 28


class HelpScreen(ModalScreen[None]):
    """Closes with the keys that opened it."""

    CSS_PATH: ClassVar = "../styles/modals.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter,f1", "dismiss", "Close", show=False)
    ]

    def compose(self) -> ComposeResult:
        """Three columns and the symbols."""
        app: PexApp = self.app  # type: ignore[assignment]  # no other app shows this screen
        rows = [_row(("Move", ""), ("Selected agent", ""), ("Run", ""))]
        rows += [_row(*cells) for cells in zip(_MOVE, _AGENT, _RUN, strict=True)]
        marks = [f"{app.symbols.marks[mark]} {mark}" for mark in Mark]
        half = (len(marks) + 1) // 2
        text = "\n".join([*rows, "", "  ".join(marks[:half]), "  ".join(marks[half:])])
        with Vertical(classes="question wide panel"):
            yield Static("Keys", classes="title", markup=False)
            yield Static(app.symbols.text(text), markup=False)
            yield Static("esc closes", classes="hint", markup=False)


def _row(*cells: tuple[str, str]) -> str:
    return "".join(
        (f"{key:>8}  {words}" if words else f"{'':>2}{key}").ljust(_WIDTH) for key, words in cells
    ).rstrip()
