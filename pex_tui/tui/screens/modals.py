"""Short questions over a screen, answered with one key."""

from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from pex_tui.core.text import clean

Answer = Literal["detach", "stop", "stay"]


class ConfirmScreen(ModalScreen[bool]):
    """Asks before something that can't be taken back; the safe answer has the focus."""

    CSS_PATH: ClassVar = "../styles/modals.tcss"
    AUTO_FOCUS = "#no"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", show=False),
        Binding("n,escape,q", "answer(False)", "No", show=False),
        Binding("left,right,h,l", "app.focus_next", "Other answer", show=False),
    ]

    def __init__(self, title: str, text: str, yes: str) -> None:
        super().__init__()
        self._title = clean(title)
        self._text = clean(text)
        self._yes = clean(yes)

    def compose(self) -> ComposeResult:
        """The question and its two answers."""
        with Vertical(classes="question panel"):
            yield Static(self._title, classes="title", markup=False)
            yield Static(self._text, markup=False)
            with Horizontal(classes="answers"):
                yield Button(f"y  {self._yes}", id="yes", classes="grave", compact=True)
                yield Button("n  No", id="no", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer with a button."""
        self.dismiss(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:  # an action's parameter
        """Answer with a key."""
        self.dismiss(answer)


class LeaveScreen(ModalScreen[Answer]):
    """Asks what becomes of a live run when its screen goes away."""

    CSS_PATH: ClassVar = "../styles/modals.tcss"
    AUTO_FOCUS = "#stay"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "answer('detach')", "Keep running", show=False),
        Binding("s", "answer('stop')", "Stop", show=False),
        Binding("escape,q,n", "answer('stay')", "Stay", show=False),
        Binding("left,right,h,l", "app.focus_next", "Other answer", show=False),
    ]

    def compose(self) -> ComposeResult:
        """The three answers."""
        with Vertical(classes="question panel"):
            yield Static("A run is live", classes="title", markup=False)
            yield Static(
                "It can go on without a screen, or stop: nothing new is started, "
                "what runs may end, and the run can be resumed.",
                markup=False,
            )
            with Horizontal(classes="answers"):
                yield Button("d  Keep it running", id="detach", compact=True)
                yield Button("s  Stop it", id="stop", classes="grave", compact=True)
                yield Button("esc  Stay", id="stay", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer with a button."""
        answers: dict[str, Answer] = {"detach": "detach", "stop": "stop"}
        self.dismiss(answers.get(event.button.id or "", "stay"))

    def action_answer(self, answer: Answer) -> None:
        """Answer with a key."""
        self.dismiss(answer)


class TextScreen(ModalScreen[None]):
    """Longer text, such as all problems of a plan; it is cleaned line by line."""

    CSS_PATH: ClassVar = "../styles/modals.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "dismiss", "Close", show=False),
        Binding("j", "scroll(1)", "Down", show=False),
        Binding("k", "scroll(-1)", "Up", show=False),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = clean(title)
        self._text = "\n".join(clean(line) for line in text.splitlines())

    def compose(self) -> ComposeResult:
        """The text, scrolled where it is longer than the screen."""
        with Vertical(classes="question wide panel"):
            yield Static(self._title, classes="title", markup=False)
            with VerticalScroll(classes="text"):
                yield Static(self._text, markup=False)
            yield Static("esc closes", classes="hint", markup=False)

    def action_scroll(self, step: int) -> None:
        """Scroll by a line."""
        self.query_one(VerticalScroll).scroll_relative(y=step, animate=False)
