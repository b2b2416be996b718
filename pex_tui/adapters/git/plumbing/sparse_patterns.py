"""The patterns of the user's sparse checkout, which also narrow the workspaces."""

from collections.abc import Iterable
from pathlib import Path

from pex_tui.adapters.git.plumbing.git_runner import WHOLE_TREE
from pex_tui.adapters.git.plumbing.git_settings import GitSetting, is_true, value_of

PATTERNS = "info/sparse-checkout"
"""The place of the patterns in a git directory."""
ALL_FILES = b"/*\n"
"""The patterns of a checkout with all files."""
# Files on disk that the patterns leave out count like any other file.
_SEE_ALL = ("-c", "sparse.expectFilesOutsideOfPatterns=false")
NARROWED = (*WHOLE_TREE, "-c", "core.sparseCheckout=true", *_SEE_ALL)
"""Options that make git use the patterns of its directory."""


def user_patterns(settings: Iterable[GitSetting], git_dir: Path) -> bytes | None:
    """Return the patterns of the user's checkout.

    None if it has all files or they are unreadable.
    """
    return read_patterns(git_dir) if is_true(settings, "core.sparsecheckout") else None


def read_patterns(git_dir: Path) -> bytes | None:
    """Return the patterns of a git directory; None if there are none, or they are unreadable."""
    try:
        return (git_dir / PATTERNS).read_bytes()
    except OSError:
        return None


def sparse_settings(settings: Iterable[GitSetting]) -> dict[str, str]:
    """Return the settings of a workspace with patterns; its index still has every path."""
    cone = value_of(settings, "core.sparsecheckoutcone")
    told = {} if cone is None else {"core.sparseCheckoutCone": cone}
    return {
        "core.sparseCheckout": "true",
        **told,
        "index.sparse": "false",
        "sparse.expectFilesOutsideOfPatterns": "false",
    }


def put_patterns(git_dir: Path, patterns: bytes) -> None:
    """Write the patterns to a git directory; raise OSError."""
    (git_dir / PATTERNS).parent.mkdir(parents=True, exist_ok=True)
    (git_dir / PATTERNS).write_bytes(patterns)


def has_patterns(git_dir: Path) -> bool:
    """Return whether a git directory has patterns."""
    return (git_dir / PATTERNS).is_file()
