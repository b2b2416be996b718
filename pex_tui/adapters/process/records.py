"""A shim's records on disk: that an attempt started, and how it ended.

An unreadable record counts as missing: only a power cut can damage it, and after that the boot id
differs anyway.
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from pex_tui.adapters.system.whole_file import write_whole

START = "start.json"
EXIT = "exit.json"
ALIVE_LOCK = "alive.lock"
OUTPUT_LOG = "output.log"
INPUT_LOG = "input.log"
MARKER = "PEX_TREE"  # the variable whose value, the token, marks an attempt's processes


class StartRecord(NamedTuple):
    """The start of an attempt; `started_at` is wall time, `shim_started` is in kernel ticks.

    `root_pid` is 0 for the instant before the program is executed. `control` is the path of the
    shim's socket, `token` the value of the marker variable, `tier` the means that hold its limits.
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
    tier: str = ""


class ExitRecord(NamedTuple):
    """The end of an attempt's root process; either `exit_code` or `signal` is None.

    Both times are also recorded by the boot's monotonic clock, because the wall clock may be set
    meanwhile; version 0.1 recorded wall time only. `over` is the subject of the limit for which the
    shim ended the tree. `peak_bytes` is the most memory that was seen of the tree, None if it was
    too small or too short to tell.
    """

    exit_code: int | None
    signal: int | None
    started_at: float
    exited_at: float
    boot_id: str = ""
    started_monotonic: float | None = None
    exited_monotonic: float | None = None
    tier: str = ""
    over: str = ""
    limit: int = 0
    peak: int = 0
    peak_bytes: int | None = None
    cpu_seconds: float | None = None


def write_record(folder: Path, name: str, record: StartRecord | ExitRecord, *, sync: bool) -> None:
    """Write the record atomically, flushed to disk with `sync`; raise OSError."""
    write_whole(folder / name, json.dumps(record._asdict()).encode(), sync=sync)


def read_start(folder: Path) -> StartRecord | None:
    """Read the start record; None if there is none, or it is unreadable."""
    fields = _fields(folder / START)
    with suppress(KeyError, TypeError, ValueError, OverflowError):
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
            tier=str(fields.get("tier", "")),
        )
    return None


def read_exit(folder: Path) -> ExitRecord | None:
    """Read the exit record; None if there is none, or it is unreadable."""
    fields = _fields(folder / EXIT)
    with suppress(KeyError, TypeError, ValueError, OverflowError):
        return ExitRecord(
            exit_code=_whole(fields["exit_code"]),
            signal=_whole(fields["signal"]),
            started_at=float(fields["started_at"]),
            exited_at=float(fields["exited_at"]),
            boot_id=str(fields.get("boot_id", "")),
            started_monotonic=_seconds(fields.get("started_monotonic")),
            exited_monotonic=_seconds(fields.get("exited_monotonic")),
            tier=str(fields.get("tier", "")),
            over=str(fields.get("over", "")),
            limit=int(fields.get("limit", 0)),
            peak=int(fields.get("peak", 0)),
            peak_bytes=_whole(fields.get("peak_bytes")),
            cpu_seconds=_seconds(fields.get("cpu_seconds")),
        )
    return None


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
