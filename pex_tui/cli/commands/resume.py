"""`pex-tui resume [RUN]`."""

from argparse import Namespace

from pex_tui.application.terminal import is_headless


def main(options: Namespace) -> int:
    """Continue an interrupted run."""
    if options.background or is_headless(options):
        from pex_tui.application.headless_runs import resume  # noqa: PLC0415  # not before the app

        return resume(options)
    from pex_tui.application.tui_runner import run_app  # noqa: PLC0415  # only the app needs Textual

    return run_app(options, resume=options.run or "")
