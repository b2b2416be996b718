"""Hostile programs in each tier: the rows of the table in docs/safety.md."""

import os
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from pex_tui.adapters.sandbox.landlock import SCOPE_ABI, abi
from pex_tui.adapters.sandbox.policy import Grant
from pex_tui.core.model.sandbox import Tier
from tests.adapters.sandbox.house import SECRET, House

OUTSIDE = {
    "the user's checkout": "echo x >> $REPO/a.txt",
    "the user's checkout by a link": "ln -s $REPO/a.txt l && echo x >> l",
    "the user's checkout by its folder": "mv $REPO/a.txt $REPO/b.txt; rm -rf $REPO",
    "another workspace": "rm -rf $OTHER; echo x > $OTHER/theirs.txt",
    "the journal": "echo x > $STATE/repo-1/journal.db; rm -rf $STATE/repo-1/journal.db",
    "the home": "echo x >> ~/.bashrc; echo x > ~/.profile; mkdir -p ~/.config/autostart",
    "a key": "echo x > ~/.ssh/id_ed25519; echo x > ~/.ssh/authorized_keys",
    "main": "git -C $REPO update-ref -d refs/heads/main; rm -f $REPO/.git/refs/heads/main",
    "objects": "rm -rf $REPO/.git/objects; find $REPO/.git/objects -type f -delete",
    "hooks": "echo 'touch /x' > $REPO/.git/hooks/post-commit",
    "fsmonitor": "git -C $REPO config core.fsmonitor /tmp/evil",
    "alternates": "echo /tmp > $REPO/.git/objects/info/alternates",
    "excludes": "echo '*' >> $REPO/.git/info/exclude",
    "the system": "touch /etc/x /usr/x /x; echo x >> /etc/hosts",
    "another's temporary files": "touch /tmp/mark-$ENGINE; echo x >> /var/tmp/x-$ENGINE",
    "a remount": "mount -o remount,rw /; umount -l $REPO; echo x >> $REPO/a.txt",
    "a namespace": "unshare -rm sh -c 'mount -o remount,rw,bind /; echo x >> $REPO/a.txt'",
    "a disk": "for d in /dev/vda /dev/sda /dev/nvme0n1 /dev/mem; do : >> $d; done",
}
UNSEEN = {
    "a key": "cat ~/.ssh/id_ed25519",
    "a key by a hard link": "ln ~/.ssh/id_ed25519 l && cat l",
    "a key by the parent's root": "cat /proc/$ENGINE/root$HOME/.ssh/id_ed25519",
    "a key by unmounting": "umount -l ~/.ssh; cat ~/.ssh/id_ed25519",
    "a key in a namespace": "unshare -rm sh -c 'umount -l ~/.ssh; cat ~/.ssh/id_ed25519'",
    "another agent's login": "cat ~/.codex/auth.json",
    "another workspace": "cat $OTHER/theirs.txt; cp -r $OTHER .; cat 2/theirs.txt",
    "the journal": "cat $STATE/repo-1/journal.db",
    "the engine's environment": "tr '\\0' '\\n' < /proc/$ENGINE/environ",
    "the parent's environment": "tr '\\0' '\\n' < /proc/$PPID/environ",
}


def snapshot(house: House) -> dict[str, tuple[int, bytes]]:
    """Return every file outside of what the attempt may write, with its mode and content."""
    own = (house.workspace, house.outputs, house.root / "tmp")
    return {
        os.fspath(path): (path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in house.root.rglob("*")
        if not any(path.is_relative_to(folder) for folder in own)
    }


@pytest.mark.parametrize("attack", OUTSIDE)
def test_nothing_outside_can_be_changed(attack: str, house: House) -> None:
    before = snapshot(house)

    house.run(OUTSIDE[attack])

    assert snapshot(house) == before
    marks = (Path("/tmp") / f"mark-{os.getpid()}", Path("/var/tmp") / f"x-{os.getpid()}")
    assert not any(mark.exists() for mark in (*marks, Path("/etc/x"), Path("/usr/x"), Path("/x")))


@pytest.mark.parametrize("attack", UNSEEN)
def test_nothing_secret_can_be_read(
    attack: str, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEX_TEST_SECRET", SECRET)

    ended = house.run(UNSEEN[attack])

    assert SECRET not in ended.stdout
    assert "PEX_TEST_SECRET" not in ended.stdout


def test_the_engine_and_its_helpers_cannot_be_signalled(house: House) -> None:
    victim = subprocess.Popen(["sleep", "60"])

    house.run(f"kill -9 {victim.pid} $ENGINE; kill -9 $PPID; kill -STOP {victim.pid} $ENGINE")

    assert victim.poll() is None
    assert "T (stopped)" not in Path(f"/proc/{victim.pid}/status").read_text()
    victim.kill()
    victim.wait()


def test_modes_of_the_users_files_are_held_by_bubblewrap_alone(house: House) -> None:
    house.run("chmod 777 $REPO/a.txt")

    mode = stat.S_IMODE((house.checkout / "a.txt").stat().st_mode)
    assert (mode == 0o777) is (house.tier is Tier.LANDLOCK)


def test_sockets_of_other_programs_are_held_by_bubblewrap_alone(house: House) -> None:
    """Landlock can't see a connection to a path; our own sockets check who connects."""
    path = house.runtime / "docker.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.fspath(path))
        server.listen()
        code = f"import socket; socket.socket(socket.AF_UNIX).connect({str(path)!r}); print('in')"

        ended = house.run(f'python3 -c "{code}"')

    assert (ended.stdout == "in\n") is (house.tier is Tier.LANDLOCK)


def test_nothing_outlives_a_program_in_bubblewrap(house: House) -> None:
    if house.tier is Tier.LANDLOCK:
        pytest.skip("the shim ends what a program leaves behind: tests/faults")
    mark = house.workspace / "mark"

    house.run("(setsid env -i sh -c 'sleep 2; touch mark' &) ; true")
    subprocess.run(["sleep", "2.2"], check=True)

    assert not mark.exists()


def test_names_of_hidden_files_are_all_that_landlock_shows(house: House) -> None:
    ended = house.run("ls ~/.ssh")

    assert ended.stdout == ("id_ed25519\n" if house.tier is Tier.LANDLOCK else "")


def test_abstract_sockets_are_held_by_landlock_alone(house: House) -> None:
    if house.tier is Tier.LANDLOCK and abi() < SCOPE_ABI:
        pytest.skip("this kernel's Landlock has no scopes")
    name = f"pex-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"\0{name}")
        server.listen()
        code = f"import socket; socket.socket(socket.AF_UNIX).connect('\\0{name}'); print('in')"

        ended = house.run(f'python3 -c "{code}"')

    assert (ended.stdout == "in\n") is (house.tier is Tier.BWRAP)


def test_shared_memory_is_private_in_bubblewrap_alone(house: House) -> None:
    shared = Path(f"/dev/shm/pex-{os.getpid()}")
    try:
        house.run(f"echo x > {shared}")
        assert shared.exists() is (house.tier is Tier.LANDLOCK)
    finally:
        shared.unlink(missing_ok=True)


def test_no_capability_is_left_and_none_can_be_had(house: House) -> None:
    ended = house.run("grep -E 'CapEff|NoNewPrivs' /proc/self/status")

    assert ended.stdout.split() == ["CapEff:", "0" * 16, "NoNewPrivs:", "1"]


def test_settings_in_a_runners_folder_are_held_by_bubblewrap_alone(house: House) -> None:
    settings = house.home / ".codex" / "config.toml"
    settings.write_text("old")
    grant = Grant(writes=(house.workspace,), homes=("~/.codex/",), kept=("~/.codex/config.toml",))

    house.run("echo new > ~/.codex/config.toml; echo log > ~/.codex/log", grant=grant)

    assert (settings.read_text() == "old") is (house.tier is Tier.BWRAP)
    assert (house.home / ".codex" / "log").exists()
