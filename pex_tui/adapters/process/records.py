"""What a shim leaves on the disk: that an attempt started, and how it ended.

A record that can't be read counts as one that was never written: only a power cut can tear it, and
after that the boot id differs anyway.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pex_tui.adapters.system.whole_file import write_whole

START = "start.json"
EXIT = "exit.json"
ALIVE_LOCK = "alive.lock"
OUTPUT_LOG = "output.log"
INPUT_LOG = "input.log"
MARKER = "PEX_TREE"  # the environment variable whose value, the token, marks an attempt's processes


@dataclass(frozen=True, slots=True)
class StartRecord:
    """An attempt that started; `started_at` is the wall clock's, `shim_started` the kernel's ticks.

    `root_pid` is 0 for the instant before the program is executed. `control` is the path of the
    shim's socket, `token` the value of the marker variable.
    """

    boot_id: str
    shim_pid: int
    shim_started: int
    root_pid: int
    root_started: int
    started_at: float
    token: str
    control: str
    started_monotonic: float | None = None


@dataclass(frozen=True, slots=True)
class ExitRecord:
    """How an attempt's root process ended; one of `exit_code` and `signal` is None.

    The wall clock may be set meanwhile, so both moments are also told by the monotonic clock of the
    boot: nothing of version 0.1 did.
    """

    exit_code: int | None
    signal: int | None
    started_at: float
    exited_at: float
    boot_id: str = ""
    started_monotonic: float | None = None
    exited_monotonic: float | None = None


def write_record(folder: Path, name: str, record: StartRecord | ExitRecord, *, sync: bool) -> None:
    """Put the record in place whole, flushed to the disk with `sync`; raise OSError."""
    write_whole(folder / name, json.dumps(plain(record)).encode(), sync=sync)


def read_start(folder: Path) -> StartRecord | None:
    """The start record, or None when there is none that can be read."""
    fields = _fields(folder / START)
    with suppress(KeyError, TypeError, ValueError):
        return StartRecord(
            boot_id=str(fields["boot_id"]),
            shim_pid=int(fields["shim_pid"]),
            shim_started=int(fields["shim_started"]),
            root_pid=int(fields["root_pid"]),
            root_started=int(fields["root_started"]),
            started_at=float(fields["started_at"]),
            token=str(fields["token"]),
            control=str(fields["control"]),
            started_monotonic=_seconds(fields.get("started_monotonic")),
        )
    return None


def read_exit(folder: Path) -> ExitRecord | None:
    """The exit record, or None when there is none that can be read."""
    fields = _fields(folder / EXIT)
    with suppress(KeyError, TypeError, ValueError):
        return ExitRecord(
            exit_code=_whole(fields["exit_code"]),
            signal=_whole(fields["signal"]),
            started_at=float(fields["started_at"]),
            exited_at=float(fields["exited_at"]),
            boot_id=str(fields.get("boot_id", "")),
            started_monotonic=_seconds(fields.get("started_monotonic")),
            exited_monotonic=_seconds(fields.get("exited_monotonic")),
        )
    return None


def plain(slotted: Any) -> dict[str, Any]:
    """The fields of a slotted dataclass by name, as they are (`asdict` copies deeply)."""
    return {name: getattr(slotted, name) for name in slotted.__slots__}


def _fields(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _whole(number: Any) -> int | None:
    return None if number is None else int(number)


def _seconds(number: Any) -> float | None:
    return None if number is None else float(number)
