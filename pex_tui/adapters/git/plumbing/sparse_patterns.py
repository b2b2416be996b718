"""The patterns of the user's sparse checkout, which workspaces are narrowed by as well."""

from collections.abc import Iterable
from pathlib import Path

from pex_tui.adapters.git.plumbing.git_runner import WHOLE_TREE
from pex_tui.adapters.git.plumbing.git_settings import Setting, is_true, value_of

PATTERNS = "info/sparse-checkout"
"""Where a git directory has its patterns."""
ALL_FILES = b"/*\n"
"""The patterns of a checkout that holds everything."""
# What the patterns leave out and is on the disk all the same counts like every other file.
_SEE_ALL = ("-c", "sparse.expectFilesOutsideOfPatterns=false")
NARROWED = (*WHOLE_TREE, "-c", "core.sparseCheckout=true", *_SEE_ALL)
"""Options with which git goes by the patterns that its directory has."""


def user_patterns(settings: Iterable[Setting], git_dir: Path) -> bytes | None:
    """The patterns of the user's checkout; None where it holds all files, or they can't be read."""
    return read_patterns(git_dir) if is_true(settings, "core.sparsecheckout") else None


def read_patterns(git_dir: Path) -> bytes | None:
    """The patterns that a git directory has; None where there are none that can be read."""
    try:
        return (git_dir / PATTERNS).read_bytes()
    except OSError:
        return None


def sparse_settings(settings: Iterable[Setting]) -> dict[str, str]:
    """What a workspace is told that has patterns; its index holds every path all the same."""
    cone = value_of(settings, "core.sparsecheckoutcone")
    told = {} if cone is None else {"core.sparseCheckoutCone": cone}
    return {
        "core.sparseCheckout": "true",
        **told,
        "index.sparse": "false",
        "sparse.expectFilesOutsideOfPatterns": "false",
    }


def put_patterns(git_dir: Path, patterns: bytes) -> None:
    """Give a git directory the patterns; raise OSError."""
    (git_dir / PATTERNS).parent.mkdir(parents=True, exist_ok=True)
    (git_dir / PATTERNS).write_bytes(patterns)


def has_patterns(git_dir: Path) -> bool:
    """Whether a git directory has patterns."""
    return (git_dir / PATTERNS).is_file()
