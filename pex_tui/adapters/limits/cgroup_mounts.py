"""Locations of this process's cgroups, of both versions, as mounted here."""

import os
import re
from pathlib import Path

_ESCAPED = re.compile(r"\\(\d{3})")
Controller = str
UNIFIED: Controller = ""
"""The name of the hierarchy of version 2, which has all its controllers together."""


def own_cgroups(proc: Path = Path("/proc/self")) -> dict[Controller, tuple[Path, Path]]:
    """Return the mount point and this process's folder of each mounted hierarchy.

    A hierarchy whose mount does not show this process's own cgroup is left out.
    """
    try:
        mounts = (proc / "mountinfo").read_text()
        memberships = (proc / "cgroup").read_text()
    except OSError:
        return {}
    member = {}
    for line in memberships.splitlines():
        _, names, path = line.split(":", 2)
        member.update(dict.fromkeys(names.split(","), path))
    found: dict[Controller, tuple[Path, Path]] = {}
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        if kind not in {"cgroup", "cgroup2"}:
            continue
        root, point = (_plain(text) for text in left.split(" ")[3:5])
        named = [UNIFIED] if kind == "cgroup2" else options.split(" ")[-1].split(",")
        for name in named:
            below = _below(root, member[name]) if name in member else None
            if below is not None:
                found.setdefault(name, (Path(point), Path(point, below)))
    return found


def _below(root: str, path: str) -> str | None:
    """Return the path relative to the mount's root; None if it lies elsewhere.

    What lies outside this process's namespace is shown with `..`, which tells no names.
    """
    if ".." in (*root.split("/"), *path.split("/")):
        return None
    relative = os.path.relpath(path, root)
    return None if relative == ".." or relative.startswith("../") else relative


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), text)
