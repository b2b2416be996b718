"""Memory: the machine's, and what each cgroup around this process leaves of it."""

from pathlib import Path

import pytest

from pex_tui.adapters.limits.machine_memory import MachineMemory

MEGABYTE = 1024**2
FILES = {
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    2: ("memory.max", "memory.current", "inactive_file"),
}
WITHOUT = {1: 2**63 - 4096, 2: "max"}
both = pytest.mark.parametrize("version", FILES)


def container(folder: Path, version: int, limit: int | None, used: int, cache: int = 0) -> None:
    """Write what a cgroup's folder tells, in megabytes."""
    folder.mkdir(parents=True, exist_ok=True)
    most, use, inactive = FILES[version]
    limited = WITHOUT[version] if limit is None else limit * MEGABYTE
    (folder / most).write_text(f"{limited}\n")
    (folder / use).write_text(f"{used * MEGABYTE}\n")
    (folder / "memory.stat").write_text(f"cache 1\n{inactive} {cache * MEGABYTE}\n")


def read(top: Path, version: int, cgroup: str) -> tuple[int, int]:
    """Return total and available memory in megabytes, as a process of this cgroup sees them."""
    proc = top / "proc"
    proc.mkdir()
    named = "4:memory:" if version == 1 else "0::"
    kind = "cgroup x rw,memory" if version == 1 else "cgroup2 x rw"
    (proc / "cgroup").write_text(f"{named}{cgroup}\n")
    (proc / "mountinfo").write_text(f"1 1 0:1 / {top / 'mount'} rw - {kind}\n")
    found = MachineMemory(proc).read({})
    return found.total_bytes // MEGABYTE, found.available_bytes // MEGABYTE


@both
def test_a_container_leaves_its_limit_less_its_use(tmp_path: Path, version: int) -> None:
    container(tmp_path / "mount/job", version, limit=100, used=70, cache=20)

    assert read(tmp_path, version, "/job") == (100, 50)


@both
def test_what_a_container_around_this_one_has_used_is_gone_as_well(
    tmp_path: Path, version: int
) -> None:
    container(tmp_path / "mount/all", version, limit=100, used=90)
    container(tmp_path / "mount/all/job", version, limit=80, used=10)
    container(tmp_path / "mount/all/job/inner", version, limit=None, used=10)

    assert read(tmp_path, version, "/all/job/inner") == (80, 10)


def test_a_threshold_above_which_the_kernel_throttles_is_a_limit(tmp_path: Path) -> None:
    container(tmp_path / "mount/job", 2, limit=100, used=10)
    (tmp_path / "mount/job/memory.high").write_text(f"{50 * MEGABYTE}\n")

    assert read(tmp_path, 2, "/job") == (50, 40)


@both
def test_without_a_limit_the_machine_counts(tmp_path: Path, version: int) -> None:
    container(tmp_path / "mount/job", version, limit=None, used=10)
    machine = MachineMemory(tmp_path / "none").read({})

    assert read(tmp_path, version, "/job")[0] == machine.total_bytes // MEGABYTE
