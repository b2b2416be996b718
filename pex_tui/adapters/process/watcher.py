"""asyncio's notification of ended children."""

import asyncio
import os
import sys


def use_pidfd_watcher() -> None:
    """Have child processes watched through pidfds: Python before 3.12 starts a thread for each."""
    if sys.version_info < (3, 12) and hasattr(os, "pidfd_open"):
        asyncio.set_child_watcher(asyncio.PidfdChildWatcher())
