"""Detect a terminal that can show the app."""

import argparse
import os
import sys


def is_headless(options: argparse.Namespace) -> bool:
    """Return whether to run without a screen: on request, or without a capable terminal."""
    return (
        getattr(options, "headless", False)
        or getattr(options, "json", False)
        or not (sys.stdout.isatty() and sys.stdin.isatty())
        or os.environ.get("TERM", "") in {"", "dumb"}
    )
