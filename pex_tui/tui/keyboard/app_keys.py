"""Keys of every screen."""

from textual.binding import Binding, BindingType

from pex_tui.tui.modes import MODES

APP_KEYS: list[BindingType] = [
    Binding("question_mark", "help", "Help", key_display="?", id="app.help"),
    *(
        Binding(mode.key, f"show('{mode.name}')", mode.title, show=False, id=mode.key_id)
        for mode in MODES
    ),
    Binding("i", "show('inbox')", "Answer agents", show=False, id="run.inbox"),
    Binding("colon", "command_palette()", "Commands", show=False, id="app.palette"),
    Binding("q", "leave", "Leave", id="app.leave"),
    Binding("ctrl+c", "leave", "Leave", show=False, id="app.interrupt"),
    Binding("ctrl+q", "leave", "Leave", show=False, priority=True, id="app.quit"),
]
