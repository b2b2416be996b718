import subprocess
import sys


def test_reading_a_plan_does_not_import_networkx() -> None:
    """It is slow to import, and only cycles and `check` need it."""
    modules = "pex_tui.planning.planfile, pex_tui.planning.schedule, pex_tui.planning.warnings"
    code = f"import sys, {modules}; sys.exit('networkx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
