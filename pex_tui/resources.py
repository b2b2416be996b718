"""Locations of shipped files: beside the code in a wheel, at the top of a checkout."""

from pathlib import Path

from pex_tui.errors import UserError

_PACKAGE = Path(__file__).resolve().parent


def shipped(name: str) -> Path:
    """Return the path of a shipped folder or file such as `config/pex.yaml` or `themes`.

    Raises UserError when the installation lacks it.
    """
    in_wheel = _PACKAGE / "_data" / name
    in_checkout = _PACKAGE.parent / name
    found = next((path for path in (in_wheel, in_checkout) if path.exists()), None)
    if found is None:
        raise UserError(f'this installation of pex-tui lacks "{name}". Install pex-tui again.')
    return found
