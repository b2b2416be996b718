"""`pex-tui demo`: a real run on a sample project."""

import argparse

from pex_tui.application.demo import run_demo


def main(options: argparse.Namespace) -> int:
    """Make the sample project and run its plan, with the app or without."""
    return run_demo(options)
