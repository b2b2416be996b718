"""`pex-tui report [RUN]`."""

import json
import sys
from collections.abc import Callable

from pex_tui.headless.html_report import render_html
from pex_tui.headless.markdown_report import render_markdown
from pex_tui.headless.report import Report, report_object
from pex_tui.headless.text_report import render_text
from pex_tui.wiring.hosting import Options, await_command, ground_of, read_report

_FORMATS: dict[str, Callable[[Report], str]] = {
    "text": render_text,
    "json": lambda report: json.dumps(report_object(report), indent=2) + "\n",
    "md": render_markdown,
    "html": render_html,
}


def main(options: Options) -> int:
    """Print a run's report."""
    return await_command(_report(options))


async def _report(options: Options) -> int:
    report = read_report(await ground_of(options), options.run)
    sys.stdout.write(_FORMATS[options.format](report))
    return 0
