"""The keys that every screen has."""

from textual.binding import Binding, BindingType

APP_KEYS: list[BindingType] = [
    Binding("question_mark", "help", "Help", key_display="?", id="app.help"),
    Binding("f1", "show('home')", "Home", show=False, id="app.home"),
    Binding("f2", "show('plan')", "Plan", show=False, id="app.plan"),
    Binding("f3", "show('monitor')", "Monitor", show=False, id="app.monitor"),
    Binding("f4", "show('conflict')", "Conflicts", show=False, id="app.conflicts"),
    Binding("f5", "show('history')", "History", show=False, id="app.history"),
    Binding("f6", "show('inbox')", "Inbox", show=False, id="app.inbox"),
    Binding("i", "show('inbox')", "Answer agents", show=False, id="run.inbox"),
    Binding("colon", "command_palette()", "Commands", show=False, id="app.palette"),
    Binding("q", "leave", "Leave", id="app.leave"),
    Binding("ctrl+c", "leave", "Leave", show=False, id="app.interrupt"),
    Binding("ctrl+q", "leave", "Leave", show=False, priority=True, id="app.quit"),
]
