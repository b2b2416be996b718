"""The best tier of limits that this machine offers, found out by really using it.

A cgroup that is left to this user is preferred, as it costs nothing. Otherwise systemd is asked to
start the launcher in a scope whose cgroup is delegated to it. What is left is polling.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from pex_tui.adapters.limits.cgroup import (
    CONTROLLERS,
    CgroupBase,
    Version1Base,
    Version2Base,
    remove_folders,
)
from pex_tui.adapters.limits.cgroup_mounts import UNIFIED, own_cgroups
from pex_tui.adapters.limits.scopes import is_scope, left_to_us, scope_command
from pex_tui.adapters.limits.values import LimitRequest, Tier
from pex_tui.adapters.system.kernel import TABLE

_PREFIX = "pex-"
_OWN_LEAF = "launcher"  # of a delegated cgroup, whose processes must be in leaves
_ENABLED = " ".join(f"+{name}" for name in CONTROLLERS)
_PROBE = LimitRequest(memory_bytes=1 << 26, cpu_cores=0.5, share=0.5, processes=8)


def cgroup_name(launcher: int, number: int | str) -> str:
    """Return the name of a cgroup that tells which launcher made it."""
    stat = TABLE.stat(launcher)
    return f"{_PREFIX}{launcher}-{stat.started if stat else 0}-{number}"


@cache
def available_tier() -> Tier:
    """Return the best tier for this user on this machine."""
    base = find_base()
    if base is not None:
        return base.tier
    return Tier.SYSTEMD if scope_command(_ENABLED) else Tier.POLLING


def find_base(proc: Path = Path("/proc/self")) -> CgroupBase | None:
    """Return the first base in which a process could really be limited; None without any."""
    return next((base for base in _candidates(own_cgroups(proc)) if _works(base)), None)


def known_base(tier: Tier) -> CgroupBase | None:
    """Return a base of the tier that `available_tier` has found to work, without trying it again.

    A guard polls if it can't use it.
    """
    return next((base for base in _candidates(own_cgroups()) if base.tier is tier), None)


def scope_prefix() -> tuple[str, ...]:
    """Return the command by which systemd starts another one in a cgroup of its own, if needed."""
    return scope_command(_ENABLED) if available_tier() is Tier.SYSTEMD else ()


def _candidates(found: dict[str, tuple[Path, Path]]) -> Iterator[CgroupBase]:
    if UNIFIED in found:
        mount, own = found[UNIFIED]
        if is_scope(own) and (delegated := _delegated(own)) is not None:
            yield delegated
        for folder in left_to_us(own, mount):
            if _enabled(folder).issuperset(CONTROLLERS):
                yield Version2Base(folder, own)
    if found.keys() >= set(CONTROLLERS):
        yield Version1Base({name: found[name][1] for name in CONTROLLERS})


def _enabled(folder: Path) -> set[str]:
    """Return the controllers that children of this cgroup have."""
    with suppress(OSError):
        return set((folder / "cgroup.subtree_control").read_text().split())
    return set()


def _delegated(scope: Path) -> CgroupBase | None:
    """Prepare the cgroup that systemd made for this process, which moves into a leaf of it."""
    leaf = scope / _OWN_LEAF
    try:
        leaf.mkdir(exist_ok=True)
        (leaf / "cgroup.procs").write_text("0")
        (scope / "cgroup.subtree_control").write_text(_ENABLED)
    except OSError:
        return None
    return Version2Base(scope, leaf, Tier.SYSTEMD)


def _works(base: CgroupBase) -> bool:
    """Return whether a process can be moved into a limited cgroup of this base."""
    cgroup = base.cgroup(cgroup_name(os.getpid(), f"probe{os.urandom(4).hex()}"))
    try:
        cgroup.create()
        cgroup.hold(_PROBE)
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
            try:
                cgroup.enter(process.pid)
            finally:
                process.kill()
    except OSError:
        return False
    else:
        return True
    finally:
        cgroup.remove()


def sweep(base: CgroupBase) -> None:
    """Remove the empty cgroups of launchers that are gone."""
    for folder in base.folders:
        with suppress(OSError):
            remove_folders(path for path in folder.glob(f"{_PREFIX}*-*-*") if _is_left(path))


def _is_left(path: Path) -> bool:
    """Return whether no process is in the cgroup and its launcher has ended."""
    _, pid, started, *_ = path.name.split("-")
    if not (pid.isdecimal() and started.isdecimal()):
        return False
    stat = TABLE.stat(int(pid))
    if stat is not None and stat.started == int(started):
        return False
    with suppress(OSError):
        return not (path / "cgroup.procs").read_text()
    return False
