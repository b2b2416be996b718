"""Landlock, Linux's access control for unprivileged processes; loaded by shims.

Rules grant and never take away, and a grant covers all below its path. A path with an exception
below it is therefore not granted itself: what it holds is, entry by entry.
See the kernel's Documentation/userspace-api/landlock.rst.
"""

import ctypes
import os
import stat
import struct
from collections.abc import Iterator
from contextlib import suppress
from functools import cache

from pex_tui.core.model.sandbox import Access, Sandbox

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on all architectures
_VERSION_QUERY = 1
_PATH_BENEATH, _PORT = 1, 2
_CONNECT_TCP = 1 << 1
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAPBSET_DROP = 24
_CAPABILITIES = 64

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_CHANGE_ENTRIES = sum(1 << bit for bit in range(4, 13))  # remove and make entries of each type
_REFER, _TRUNCATE = 1 << 13, 1 << 14
_REFER_ABI, _TRUNCATE_ABI, PORT_ABI, SCOPE_ABI = 2, 3, 4, 6
_SCOPES = 1 << 0 | 1 << 1  # abstract sockets, signals

_ON_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
_READS = _EXECUTE | _READ_FILE | _READ_DIR
_WRITES = _READS | _WRITE_FILE | _CHANGE_ENTRIES | _REFER | _TRUNCATE
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "shm")
_ALL = {Access.READ: _READS, Access.WRITE: _WRITES}


def abi() -> int:
    """Return the version of Landlock that the kernel offers; 0 if there is none."""
    found = int(_libc().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION_QUERY))
    return max(found, 0)


def ruleset_of(sandbox: Sandbox, *written: str, ports: tuple[int, ...] | None = None) -> int:
    """Return the descriptor of a ruleset for the sandbox; raise OSError.

    The files `written` may be written as well, wherever they are. Unless `ports` is None, TCP
    connections go to those ports only (on any host: the kernel knows no more of them).
    """
    version = abi()
    handled = _WRITES & ~(_REFER if version < _REFER_ABI else 0)
    handled &= ~(_TRUNCATE if version < _TRUNCATE_ABI else 0)
    holds_ports = ports is not None and version >= PORT_ABI
    attributes = struct.pack("=QQQ", handled, _CONNECT_TCP if holds_ports else 0, _SCOPES)
    size = len(attributes) if version >= SCOPE_ABI else 16 if version >= PORT_ABI else 8
    descriptor = _checked(_libc().syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(size), 0))
    os.set_inheritable(descriptor, False)
    try:
        for path, rights in _grants(sandbox):
            _grant(descriptor, path, rights & handled)
        for name in _DEVICES:
            _grant(descriptor, f"/dev/{name}", _WRITES & handled)
        for path in written:
            _grant(descriptor, path, (_WRITE_FILE | _READ_FILE | _TRUNCATE) & handled)
        for port in ports or () if holds_ports else ():
            rule = struct.pack("=QQ", _CONNECT_TCP, port)
            _checked(_libc().syscall(_ADD_RULE, descriptor, _PORT, rule, 0))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def restrict(descriptor: int) -> None:
    """Restrict this thread and what it executes for good; raise OSError.

    Root's capabilities go as well: with them it could read the memory of other processes.
    """
    for capability in range(_CAPABILITIES):
        _libc().prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # refused to users, who have none
    _checked(_libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    _checked(_libc().syscall(_RESTRICT_SELF, descriptor, 0))


def _grants(sandbox: Sandbox) -> Iterator[tuple[str, int]]:
    """Yield each path to grant, with its rights."""
    access = dict(sandbox.rules)
    split = {parent for path in access for parent in _above(path)}
    for path, allowed in access.items():
        if allowed in _ALL:
            yield from _granted(path, _ALL[allowed], access, split)
    yield sandbox.temporary, _WRITES


def _granted(
    path: str, rights: int, access: dict[str, Access], split: set[str]
) -> Iterator[tuple[str, int]]:
    if path not in split or _only_widened(path, rights, access):
        yield path, rights
        return
    yield path, _READ_DIR  # the names of what is hidden below it can be read, nothing more
    with suppress(OSError), os.scandir(path) as entries:
        for entry in entries:
            if entry.path not in access and not entry.is_symlink():
                yield from _granted(entry.path, rights, access, split)


def _only_widened(path: str, rights: int, access: dict[str, Access]) -> bool:
    """Return whether every rule below the path allows as much as the path does."""
    below = path.rstrip("/") + "/"
    return all(
        _ALL.get(allowed, 0) & rights == rights
        for other, allowed in access.items()
        if other.startswith(below)
    )


def _above(path: str) -> Iterator[str]:
    while path != "/":
        path = os.path.dirname(path)  # noqa: PTH120  # pathlib costs ten times as much
        yield path


def _grant(ruleset: int, path: str, rights: int) -> None:
    """Add a rule to the ruleset; what is gone or may not be looked at is left out."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= _ON_FILES
        if rights:
            rule = struct.pack("=Qi", rights, descriptor)
            _checked(_libc().syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0))
    finally:
        os.close(descriptor)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
