"""Resolve the paths that an agent names: follow links, make them relative to the repository."""

import os
from pathlib import Path


def touched(path: str, folder: str) -> tuple[str, ...]:
    """Return the forms of a path that rules have to match: as written, and with links resolved.

    Paths inside the agent's folder are relative to it, others absolute. A path that cannot be
    resolved is returned unchanged.
    """
    if not path:
        return ()
    places = _places(path, folder)
    if places is None:
        return (path,)
    named, real, home, real_home = places
    found = (_called(named, home), _called(real, real_home))
    return tuple(dict.fromkeys(found))


def is_own(path: str, folder: str) -> bool:
    """Return whether changing the path changes only the agent's own work.

    The path must lead into the agent's folder, both as written and with links resolved, and not
    into git's data.
    """
    places = _places(path, folder) if path else None
    if places is None:
        return False
    named, real, home, real_home = places
    return all(
        place.is_relative_to(within)
        and place != within
        and ".git" not in place.relative_to(within).parts
        for place, within in ((named, home), (real, real_home))
    )


def _places(path: str, folder: str) -> tuple[Path, Path, Path, Path] | None:
    """Return the path as written and resolved, then the folder as written and resolved."""
    home = Path(folder)
    try:
        whole = home / Path(path).expanduser()
        named = Path(os.path.normpath(whole))
        return named, Path(os.path.realpath(whole)), home, Path(os.path.realpath(home))
    except (ValueError, RuntimeError, OSError):  # NUL, unknown user, loop of links
        return None


def _called(place: Path, within: Path) -> str:
    is_inside = place.is_relative_to(within) and place != within
    return os.fspath(place.relative_to(within) if is_inside else place)
