"""Find what a sandbox kept a failed program from, in the end of its output."""

import os
import re
from pathlib import Path

from pex_tui.adapters.sandbox.policy import Rules
from pex_tui.core.model.sandbox import Access, Sandbox

_TAIL_BYTES = 8192
_MOST_LINES = 30
_REFUSED = re.compile(rb"read-only file system|permission denied|EROFS|EACCES", re.IGNORECASE)
_KERNELS = ("/proc/", "/sys/", "/dev/")
_PATH = re.compile(r"""/[^\s'"`:;,()\[\]<>]+""")


def refused_write(sandbox: Sandbox, output: Path, workspace: Path) -> str:
    """Return why the program's sandbox refused a write that its last lines complain of.

    Empty unless the user may write there and the sandbox does not let the program. Blocks.
    """
    try:
        with output.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            lines = file.read().splitlines()[-_MOST_LINES:]
    except OSError:
        return ""
    rules = Rules(dict(sandbox.rules))
    for line in reversed(lines):
        if not _REFUSED.search(line):
            continue
        for name in _PATH.findall(os.fsdecode(line)) or [os.fspath(workspace)]:
            path = os.path.realpath(name)
            if rules.access(path) is Access.READ and _is_writable(path):
                return _words(path, workspace)
    return ""


def _is_writable(path: str) -> bool:
    """Return whether the user, outside of any sandbox, could write or make the path."""
    if path.startswith(_KERNELS):
        return False
    while not os.path.lexists(path):
        path = os.path.dirname(path)  # noqa: PTH120  # `path` is no Path
    return os.access(path, os.W_OK)


def _words(path: str, workspace: Path) -> str:
    if Path(path).is_relative_to(workspace.resolve()):
        return "its checkout is read-only, as the task declares writes: []"
    return f"its sandbox does not let it write {path}; safety.writable can name that"
