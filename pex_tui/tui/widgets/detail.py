"""One task in full: its log, changes, prompt and facts."""

from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.reactive import var
from textual.style import Style
from textual.widgets import ContentSwitcher

from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.state import RunState
from pex_tui.core.sanitize import clean
from pex_tui.core.views.task_details import task_details
from pex_tui.engine.ports import LandingError, WorkspaceError
from pex_tui.engine.session import RunSession
from pex_tui.errors import UserError
from pex_tui.tui.widgets.painting import symbols_of
from pex_tui.tui.widgets.scroller import Scroller
from pex_tui.tui.widgets.text.log_view import LogView
from pex_tui.tui.widgets.text.text_view import (
    FoldedView,
    diff_lines,
    fact_lines,
    folded,
    wrapped,
)

TABS = ("log", "diff", "prompt", "info")
DIFF_SECONDS = 2.0


class DetailPanel(Container):
    """Four views of the task under the list's cursor."""

    DEFAULT_CLASSES: ClassVar[str] = "panel"

    tab: var[str] = var(TABS[0])
    task_id: var[TaskId | None] = var(None)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's word
        super().__init__(id=id)
        self._state: RunState | None = None
        self._session: RunSession | None = None
        self._now = 0.0
        self._asked: TaskId | None = None  # the task whose changes are being read
        self._title: tuple[str, str, bool] | None = None

    def compose(self) -> ComposeResult:
        """Compose the four views, one visible."""
        with ContentSwitcher(initial=TABS[0]):
            yield LogView(id="log")
            yield FoldedView(id="diff")
            yield FoldedView(id="prompt")
            yield FoldedView(id="info")

    def on_mount(self) -> None:
        """Start the timer that refreshes visible changes."""
        self.set_interval(DIFF_SECONDS, self._ask_diff)

    @property
    def view(self) -> Scroller:
        """The visible view."""
        return self.query_one(f"#{self.tab}", Scroller)

    def watch_tab(self) -> None:
        """Show another view; keep the focus inside."""
        had_focus = self.has_focus_within
        self.query_one(ContentSwitcher).current = self.tab
        if had_focus:
            self.view.focus()
        self._titled()
        self._filled(anew=False)
        self._ask_diff()

    def watch_task_id(self) -> None:
        """Show another task."""
        self.query_one("#diff", FoldedView).show_folded(partial(folded, ()))
        self._titled()
        self._filled(anew=True)
        self._ask_diff()

    def update(self, state: RunState | None, session: RunSession | None, now: float) -> None:
        """Show the newest state of the task."""
        self._state, self._session, self._now = state, session, now
        self._titled()
        self._filled(anew=False)

    def toggle_follow(self) -> None:
        """Toggle following the end of the log."""
        log = self.query_one("#log", LogView)
        log.follow = not log.follow
        self._titled()

    def _filled(self, *, anew: bool) -> None:
        state, task = self._state, self.task_id
        log = self.query_one("#log", LogView)
        if state is None or task is None or task not in state.graph.index:
            log.open(None)
            return
        entry = state.task(task)
        path = self._session.output(task, entry.attempt) if self._session else None
        log.open(path if entry.attempt else None)
        if self.tab in {"prompt", "info"}:
            view = self.query_one(f"#{self.tab}", FoldedView)
            if self.tab == "prompt":
                spec = state.spec(task)
                text = spec.prompt or " ".join(spec.argv)
                view.show_folded(partial(wrapped, text), anew=anew)
            else:
                view.show_folded(
                    partial(fact_lines, task_details(state, task, self._now)), anew=anew
                )

    def _ask_diff(self) -> None:
        """Read the changes, unless that is in progress; only one read runs at a time."""
        wanted = self.tab == "diff" and self.is_on_screen
        if wanted and self._session and self.task_id and self.task_id != self._asked:
            self._asked = self.task_id
            self.run_worker(
                self._show_diff(self._session, self.task_id), group="diff", exclusive=True
            )

    async def _show_diff(self, session: RunSession, task: TaskId) -> None:
        try:
            lines = diff_lines(await session.diff(task))
        except (LandingError, WorkspaceError, UserError, OSError) as error:
            lines = [((clean(f"The changes can't be read: {error}"), "failed"),)]
        if task == self._asked:
            self._asked = None
        if task == self.task_id:
            self.query_one("#diff", FoldedView).show_folded(partial(folded, lines))

    def on_scroller_followed(self) -> None:
        """Show in the title that the log follows its end."""
        self._titled()

    def _titled(self) -> None:
        """Set the title only if it differs, because that repaints the panel."""
        follows = self.tab == "log" and self.query_one("#log", LogView).follow
        who = ""
        if self._state and self.task_id and self.task_id in self._state.graph.index:
            spec = self._state.spec(self.task_id)
            who = clean(f"{spec.id} {spec.agent or ''}".strip()) + " · "
        if self._title == (who, self.tab, follows):
            return
        self._title = (who, self.tab, follows)
        show = symbols_of(self).text
        tabs = [self._tab_title(at, name) for at, name in enumerate(TABS, 1)]
        self.border_title = Content.assemble((show(who), "$agent-dim"), Content(" ").join(tabs))
        self.border_subtitle = show("follow ▾") if follows else ""

    def _tab_title(self, at: int, name: str) -> Content:
        """Return a tab's number and name; a click on it shows the tab."""
        ink = "bold $primary" if name == self.tab else "$agent-dim"
        click = Style.from_meta({"@click": f"screen.tab('{name}')"})
        return Content.styled(f"{at} {name.title()}", ink).stylize(click)
