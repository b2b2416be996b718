"""`python -m pex_tui` is `pex-tui`."""

from pex_tui.cli.main import program

program()
