import subprocess
import sys


def test_reading_a_plan_does_not_import_networkx() -> None:
    """It is slow to import, and only cycles and `check` need it."""
    modules = ", ".join(
        f"pex_tui.planning.{name}"
        for name in ("plan_file.parser", "plan_file.warnings", "scheduling.schedule")
    )
    code = f"import sys, {modules}; sys.exit('networkx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
