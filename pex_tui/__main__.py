"""`python -m pex_tui` is `pex-tui`."""

import sys

from pex_tui.cli.main import main

sys.exit(main())
