"""What the paths are that an agent names: links followed, and as the repository calls them."""

import os
from pathlib import Path


def touched(path: str, folder: str) -> tuple[str, ...]:
    """A path as a rule has to see it: as it is written, and where it leads through links.

    Each is relative to the agent's folder where it is inside, and absolute elsewhere. A path that
    nothing can be made of is kept as it is.
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
    """Whether a change there changes the agent's own work and nothing else.

    The path has to lead into its folder, as written and through links, and not into git's data.
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
    """The path as written and as it really is, then the folder likewise."""
    home = Path(folder)
    try:
        whole = home / Path(path).expanduser()
        named = Path(os.path.normpath(whole))
        return named, Path(os.path.realpath(whole)), home, Path(os.path.realpath(home))
    except (ValueError, RuntimeError, OSError):  # NUL, no such user, a loop of links
        return None


def _called(place: Path, within: Path) -> str:
    is_inside = place.is_relative_to(within) and place != within
    return os.fspath(place.relative_to(within) if is_inside else place)
