"""Short dialogs, answered with one key."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Literal

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.suggester import Suggester
from textual.widgets import Button, Input, Static

from pex_tui.core.sanitize import clean
from pex_tui.tui.keyboard.typed_ahead import command
from pex_tui.tui.screens.modal import Hint, Modal

Answer = Literal["detach", "stop", "stay"]
_MAY_STOP = (
    "Detach: it keeps running in the background. Stop: nothing new starts, running agents "
    "will finish, and the run can be resumed."
)
_MAY_END = (
    "It is waiting for running agents. Ending it now kills them; their work is kept, and the run "
    "can be resumed."
)


class ConfirmScreen(Modal[bool]):
    """Asks before an irreversible action; the safe answer has the focus."""

    CSS_PATH: ClassVar = "../styles/modals.tcss"
    AUTO_FOCUS = "#no"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", show=False),
        Binding("n,escape,q", "answer(False)", "No", show=False),
        Binding("left,right,h,l", "app.focus_next", "Other answer", show=False),
    ]

    def __init__(
        self, title: str, text: str | Callable[[], str], yes: str, *, gone: str = ""
    ) -> None:
        super().__init__(None if isinstance(text, str) else text, gone)
        self._title = clean(title)
        self._text = _lines(text if isinstance(text, str) else text())
        self._yes = clean(yes)

    def compose(self) -> ComposeResult:
        """Compose the question and its two answers."""
        with Vertical(classes="question"):
            yield Static(self._title, classes="title", markup=False)
            yield Static(self._text, id="text", markup=False)
            with Horizontal(classes="answers"):
                yield Button(f"y  {self._yes}", id="yes", classes="grave", compact=True)
                yield Button("n  No", id="no", compact=True)

    def ask_about(self, text: str) -> None:
        """Update the text."""
        super().ask_about(text)
        if text:
            self.query_one("#text", Static).update(text)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer with a button."""
        self.dismiss(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:  # the parameter of an action
        """Answer with a key."""
        self.dismiss(answer)


class LeaveScreen(Modal[Answer]):
    """Asks what to do with a live run on leaving."""

    CSS_PATH: ClassVar = "../styles/modals.tcss"
    AUTO_FOCUS = "#stay"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "answer('detach')", "Detach", show=False),
        Binding("s", "answer('stop')", "Stop", show=False),
        Binding("escape,q,n", "answer('stay')", "Stay", show=False),
        Binding("left,right,h,l", "app.focus_next", "Other answer", show=False),
    ]

    def __init__(self, *, is_live: Callable[[], bool], is_stopping: bool) -> None:
        super().__init__(lambda: "live" if is_live() else "")
        self._is_stopping = is_stopping

    def compose(self) -> ComposeResult:
        """Compose the three answers."""
        title, text, stop = "A run is live", _MAY_STOP, "Stop it"
        if self._is_stopping:
            title, text, stop = "The run is being stopped", _MAY_END, "End it now"
        with Vertical(classes="question"):
            yield Static(title, classes="title", markup=False)
            yield Static(text, markup=False)
            with Horizontal(classes="answers"):
                yield Button("d  Detach", id="detach", compact=True)
                yield Button(f"s  {stop}", id="stop", classes="grave", compact=True)
                yield Button("esc  Stay", id="stay", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer with a button."""
        answers: dict[str, Answer] = {"detach": "detach", "stop": "stop"}
        self.dismiss(answers.get(event.button.id or "", "stay"))

    def action_answer(self, answer: Answer) -> None:
        """Answer with a key."""
        self.dismiss(answer)


class LineScreen(Modal[str]):
    """Asks for one line; the answer is the text, empty if cancelled.

    If its subject is gone, it stays open, because further typing would become keys of the screen
    below; its title then says so, and it accepts no line.
    """

    CSS_PATH: ClassVar = "../styles/modals.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel", show=False)]

    def __init__(
        self,
        title: str | Callable[[], str],
        hint: str,
        *,
        gone: str = "",
        given: str = "",
        suggester: Suggester | None = None,
    ) -> None:
        super().__init__(None if isinstance(title, str) else title, gone)
        self._title = clean(title if isinstance(title, str) else title())
        self._is_gone = False
        self._hint = hint
        self._given = given
        self._suggester = suggester

    def compose(self) -> ComposeResult:
        """Compose the question and an input."""
        with Vertical(classes="question"):
            yield Static(self._title, classes="title", markup=False)
            yield Input(self._given, suggester=self._suggester, compact=True)
            yield Hint(f"{self._hint} · esc cancels")

    @property
    def unsaved(self) -> str:
        """The unsaved input, in words."""
        fields = self.query(Input)  # none before it is composed
        is_typed = any(field.value.strip() not in {"", self._given} for field in fields)
        return f"{self._title}: your input is not used." if is_typed else ""

    def ask_about(self, text: str) -> None:
        """Update the title."""
        self._is_gone = not text
        self._title = text or self._gone
        self.query_one(".title", Static).update(self._title)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer with the line."""
        if not self._is_gone:
            self.dismiss(event.value.strip())

    @command
    async def action_cancel(self) -> None:
        """Answer with nothing."""
        if await may_discard(self.app, lambda: self.unsaved):
            self.dismiss("")


async def may_discard(app: App[Any], unsaved: Callable[[], str]) -> bool:
    """Return whether unsaved edits may be discarded; ask if there are any."""
    if not unsaved():
        return True
    answer = await app.push_screen_wait(ConfirmScreen("Discard changes?", unsaved, "Discard"))
    return answer or not unsaved()


async def may_write(app: App[Any], path: Path) -> bool:
    """Return whether a file may be written; ask if it exists."""
    if not await asyncio.to_thread(path.exists):
        return True
    text = f"{path} exists and would be overwritten."
    question = ConfirmScreen("Overwrite?", text, "Overwrite")
    return await app.push_screen_wait(question)


def typed_path(typed: str, folder: Path = Path()) -> Path:
    """Return the typed path, relative to the folder."""
    return folder / Path(typed).expanduser()


class PathSuggester(Suggester):
    """Completes a path from its folder, plans first."""

    def __init__(self, folder: Path) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._folder = folder

    async def get_suggestion(self, value: str) -> str | None:
        """Return the first entry that begins with the input."""
        return _completed(self._folder, value)


def _completed(top: Path, typed: str) -> str | None:
    folder, slash, start = typed.rpartition("/")
    try:
        place = top / Path(f"{folder}{slash}").expanduser()
        entries = sorted(place.iterdir(), key=_plans_first)
    except (OSError, RuntimeError):
        return None
    for entry in entries:
        if entry.name.startswith(start) and (start or not entry.name.startswith(".")):
            return f"{folder}{slash}{entry.name}{'/' if entry.is_dir() else ''}"
    return None


def _plans_first(path: Path) -> tuple[bool, str]:
    return path.suffix not in {".yaml", ".yml", ".json"}, path.name


class TextScreen(Modal[None]):
    """Shows a longer text, such as all problems of a plan, cleaned line by line."""

    CSS_PATH: ClassVar = "../styles/modals.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "dismiss", "Close", show=False),
        Binding("j", "scroll(1)", "Down", show=False),
        Binding("k", "scroll(-1)", "Up", show=False),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = clean(title)
        self._text = _lines(text)

    def compose(self) -> ComposeResult:
        """Compose the text, in a scroll view."""
        with Vertical(classes="question wide"):
            yield Static(self._title, classes="title", markup=False)
            with VerticalScroll(classes="text"):
                yield Static(self._text, markup=False)
            yield Hint("esc closes")

    def action_scroll(self, step: int) -> None:
        """Scroll by a line."""
        self.query_one(VerticalScroll).scroll_relative(y=step, animate=False)


def _lines(text: str) -> str:
    """Return the text cleaned line by line."""
    return "\n".join(clean(line) for line in text.splitlines())
