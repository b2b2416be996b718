"""The folder of sockets: short and private, because a socket's path has at most 107 bytes."""

import os
from pathlib import Path

from pex_tui.adapters.system.private_folder import make_private

_LONGEST_BASE = 60  # leaves room for the folder and a socket's name


def socket_folder() -> Path:
    """Return the folder for this user's sockets, in $XDG_RUNTIME_DIR or the temporary directory.

    It is created if missing; raises OSError if others have access to it.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and len(os.fsencode(runtime)) <= _LONGEST_BASE and os.access(runtime, os.W_OK):
        folder = Path(runtime, "pex-tui")
    else:
        temporary = os.environ.get("TMPDIR", "")
        if not temporary or len(os.fsencode(temporary)) > _LONGEST_BASE:
            temporary = "/tmp"  # noqa: S108  # the folder below it is checked to be ours alone
        folder = Path(temporary, f"pex-tui-{os.getuid()}")
    make_private(folder)
    return folder
