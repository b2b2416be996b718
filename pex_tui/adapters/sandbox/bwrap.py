"""The command line of bubblewrap for a sandbox; loaded by shims, so standard library only."""

import os

from pex_tui.core.model.sandbox import Access, Sandbox

BASE = (
    *("--unshare-pid", "--unshare-ipc", "--die-with-parent", "--cap-drop", "ALL"),
    *("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"),
)
"""The namespaces and mounts of every sandbox: all is readable, nothing is writable."""
_DEVICES = ("dri", "kfd", "kvm", "nvidia")
_NOTHING = os.devnull


def bwrap_argv(
    sandbox: Sandbox, argv: tuple[str, ...], cwd: str, way_out: tuple[str, ...] | None = None
) -> tuple[str, ...]:
    """Return the arguments that run the program in the sandbox.

    With `way_out`, the command that opens the only one, it has a network of its own.
    """
    apart = () if way_out is None else ("--unshare-net",)
    options = [sandbox.program, *BASE, *_devices(), *apart]
    sealed: list[str] = []
    for path, access in sandbox.rules:
        match access:
            case Access.WRITE:
                options += ["--bind", path, path]
            case Access.READ if path != "/":
                options += ["--ro-bind", path, path]
            case Access.PRIVATE:
                options += ["--bind", sandbox.temporary, path]
            case Access.HIDDEN if os.path.isdir(path):  # noqa: PTH112  # shims want it cheap
                options += ["--tmpfs", path]
                sealed += ["--remount-ro", path]
            case Access.HIDDEN:
                options += ["--ro-bind", _NOTHING, path]
            case _:
                pass
    return (*options, *sealed, "--chdir", cwd, "--", *(way_out or ()), *argv)


def _devices() -> list[str]:
    """Return the options that bind accelerators, which the minimal /dev lacks."""
    with os.scandir("/dev") as found:
        devices = [one.path for one in found if one.name.startswith(_DEVICES)]
    return [option for path in devices for option in ("--dev-bind", path, path)]
