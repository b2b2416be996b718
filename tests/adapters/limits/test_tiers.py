"""Tiers: what this machine really offers, cgroups found as they are mounted, leftovers removed."""

import os
import subprocess
from pathlib import Path

import pytest

from pex_tui.adapters.limits import scopes
from pex_tui.adapters.limits.cgroup import Version2Base
from pex_tui.adapters.limits.cgroup_mounts import UNIFIED, own_cgroups
from pex_tui.adapters.limits.tiers import available_tier, cgroup_name, find_base, sweep
from pex_tui.adapters.limits.values import LimitRequest, Tier

BASE = find_base()
with_cgroups = pytest.mark.skipif(BASE is None, reason="no cgroup is left to this process")


def proc(folder: Path, cgroup: str, *mounts: str) -> Path:
    (folder / "cgroup").write_text(cgroup)
    lines = (f"{n} 1 0:{n} {mount}\n" for n, mount in enumerate(mounts))
    (folder / "mountinfo").write_text("".join(lines))
    return folder


def test_cgroups_are_found_where_they_are_mounted(tmp_path: Path) -> None:
    found = own_cgroups(
        proc(
            tmp_path,
            "4:memory:/work\n3:cpu,cpuacct:/\n0::/user.slice/a.scope\n",
            "/ /sys/memory rw - cgroup cgroup rw,memory",
            "/ /sys/cpu\\040one rw - cgroup cgroup rw,cpu,cpuacct",
            "/ /sys/unified rw - cgroup2 cgroup2 rw",
            "/ /proc rw - proc proc rw",
        )
    )

    assert found["memory"] == (Path("/sys/memory"), Path("/sys/memory/work"))
    assert found["cpu"] == (Path("/sys/cpu one"), Path("/sys/cpu one"))
    assert found[UNIFIED][1] == Path("/sys/unified/user.slice/a.scope")


def test_a_container_sees_its_cgroup_below_its_own_mount(tmp_path: Path) -> None:
    mount = "/docker/7f /sys/memory rw - cgroup cgroup rw,memory"

    inside = own_cgroups(proc(tmp_path, "4:memory:/docker/7f/x\n", mount))
    assert inside["memory"][1] == Path("/sys/memory/x")
    assert own_cgroups(proc(tmp_path, "4:memory:/elsewhere\n", mount)) == {}


def test_a_cgroup_outside_the_namespace_is_none_of_its_own(tmp_path: Path) -> None:
    hosts = "/../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw"
    assert own_cgroups(proc(tmp_path, "0::/\n", hosts)) == {}

    inside = "/ /sys/fs/cgroup rw - cgroup2 cgroup2 rw"
    assert own_cgroups(proc(tmp_path, "0::/../other\n", inside)) == {}


@pytest.mark.parametrize(
    ("own", "delegated", "expected"),
    [
        pytest.param("a.slice/b.scope", (), [], id="a session"),
        pytest.param("a.slice/b.service/c/d", (), ["d", "c"], id="below a unit"),
        pytest.param("a.service/b.service/c", ("b.service",), ["c", "b.service"], id="delegated"),
        pytest.param("a.service/b.slice", ("a.service",), [], id="a slice of the user's systemd"),
        pytest.param("mine/leaf", (), ["leaf", "mine"], id="made by hand"),
    ],
)
def test_no_cgroup_is_made_among_systemds_own(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    own: str,
    delegated: tuple[str, ...],
    expected: list[str],
) -> None:
    def attribute(path: Path, name: str) -> bytes:
        if name == "user.delegate" and path.name in delegated:
            return b"1"
        raise OSError

    monkeypatch.setattr(os, "getxattr", attribute)
    monkeypatch.setattr(scopes, "BOOTED", tmp_path)
    assert [folder.name for folder in scopes.left_to_us(tmp_path / own, tmp_path)] == expected

    monkeypatch.setattr(scopes, "BOOTED", tmp_path / "absent")
    every = [*reversed(own.split("/")), tmp_path.name]
    assert [folder.name for folder in scopes.left_to_us(tmp_path / own, tmp_path)] == every


def test_version_2_gets_its_limits_in_its_own_files(tmp_path: Path) -> None:
    cgroup = Version2Base(tmp_path, tmp_path).cgroup("pex-1-2-3")
    folder = tmp_path / "pex-1-2-3"
    made = Path.mkdir

    def mkdir(self: Path) -> None:  # the kernel's folder has its files at once
        made(self)
        for name in ("memory.max", "cpu.max", "cpu.weight", "pids.max"):
            (self / name).touch()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "mkdir", mkdir)
        cgroup.create()
    cgroup.hold(LimitRequest(1 << 28, 0.4, 0.4, 2000))
    (folder / "memory.events").write_text("low 0\noom_kill 1\n")
    (folder / "memory.stat").write_text("anon 1000\nfile 5\nshmem 24\n")
    (folder / "memory.peak").write_text("4096\n")

    written = {path.name: path.read_text() for path in folder.iterdir()}
    assert written["memory.max"] == str(1 << 28)
    assert written["cpu.max"] == "40000 100000"
    assert (written["cpu.weight"], written["pids.max"]) == ("40", "2000")
    assert cgroup.has_killed()
    assert not cgroup.has_refused()
    assert (cgroup.memory_bytes(), cgroup.peak_bytes()) == (1024, 4096)


def test_the_tier_of_this_machine_is_what_works() -> None:
    assert (available_tier() is Tier.POLLING) <= (BASE is None)


@with_cgroups
def test_the_cgroups_of_a_launcher_that_is_gone_are_removed() -> None:
    assert BASE is not None
    with subprocess.Popen(["true"]) as ended:
        name = cgroup_name(ended.pid, 1)
    left, own = BASE.cgroup(name), BASE.cgroup(cgroup_name(os.getpid(), 1))
    left.create()
    own.create()
    try:
        sweep(BASE)
        assert not any((folder / name).exists() for folder in BASE.folders)
        assert all((folder / cgroup_name(os.getpid(), 1)).exists() for folder in BASE.folders)
    finally:
        own.remove()
        left.remove()
