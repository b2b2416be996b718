"""Whether there is a terminal that could show the app."""

import argparse
import os
import sys


def is_headless(options: argparse.Namespace) -> bool:
    """Whether the command has no screen: asked for, or no terminal is there that could show one."""
    return (
        getattr(options, "headless", False)
        or getattr(options, "json", False)
        or not (sys.stdout.isatty() and sys.stdin.isatty())
        or os.environ.get("TERM", "") in {"", "dumb"}
    )
