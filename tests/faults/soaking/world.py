"""A repository with its own home and state directory, and the engine that drives its runs."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from pex_tui.adapters.process.records import StartRecord, read_exit, read_start
from pex_tui.adapters.storage.engine_lock import Holder, current_holder
from pex_tui.engine.run_paths import RunPaths
from tests.e2e.terminal import Terminal
from tests.pex_process import PexProcess, run_pex

PATIENCE_SECONDS = 180.0
SMALL_DISK = "48m"
_AGENT = Path(__file__).with_name("agent.py")
_DEFINITION = "---\nname: coder\ndescription: writes\ntools: Read, Write, Bash\n---\nYou write.\n"
_SETTINGS = "[user]\n name = Ada\n email = ada@example.org\n[init]\n defaultBranch = main\n"


class SoakError(AssertionError):
    """An invariant that does not hold; `name` is the invariant's."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(f"{name}: {detail}")
        self.name = name


@dataclass
class World:
    """One repository. With `small`, its state directory is a disk of its own, which can be full."""

    folder: Path
    small: bool = False
    run: str = ""
    engine: PexProcess | None = None
    terminal: Terminal | None = None
    log: IO[str] | None = None
    exempt: set[str] = field(default_factory=set)
    """Attempts whose workspace somebody removed: that work is lost on purpose."""
    mine: dict[str, str] = field(default_factory=dict)
    """The user's commits, and the branch of each."""
    """Whether the last engine's terminal was taken away: its exit code may be the interpreter's."""
    hurt: bool = False
    """Whether git was killed, or the disk full: a command may then be refused with a reason."""

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        for name in ("home", "state", "runtime", "logs", "tmp"):
            (self.folder / name).mkdir(mode=0o700)
        (self.folder / "home" / ".gitconfig").write_text(_SETTINGS)
        if self.small:
            mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "none", str(self.state)]
            subprocess.run(mount, check=True)
        self.top.mkdir()
        self.git("init", "-q")
        for name in ("base.txt", "shared.txt", "mine.txt", ".claude/agents/coder.md"):
            (self.top / name).parent.mkdir(parents=True, exist_ok=True)
            (self.top / name).write_text(_DEFINITION if name.endswith(".md") else f"{name}\n")
        self.git("add", "-A")
        self.git("commit", "-qm", "begin")
        (self.top / "mine.txt").write_text("not committed\n")

    @property
    def top(self) -> Path:
        return self.folder / "repo"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def env(self) -> dict[str, str]:
        own = f'{{"soaked": {{"talk": "acp", "command": ["{sys.executable}", "{_AGENT}"]}}}}'
        return {
            **{name: text for name, text in os.environ.items() if name == "PYTHONPATH"},
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "XDG_STATE_HOME": str(self.state),
            "XDG_RUNTIME_DIR": str(self.folder / "runtime"),
            "LANG": "C.UTF-8",
            "PEX_AGENTS__PLANNER": "rules",
            "PEX_AGENTS__RUNNERS": own,
            "PEX_AGENTS__RUNNER": "soaked",
        }

    @property
    def places(self) -> RunPaths | None:
        found = list(self.state.glob("pex-tui/*/journal.db"))
        return RunPaths(found[0].parent) if found else None

    def git(self, *args: str, check: bool = True) -> str:
        """Run git as the user does."""
        done = subprocess.run(
            ["git", *args], cwd=self.top, env=self.env, capture_output=True, text=True, check=False
        )
        if check and done.returncode:
            raise SoakError("the user's git works", f"git {' '.join(args)}: {done.stderr}")
        return done.stdout.strip()

    def pex(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run pex-tui to its end."""
        return run_pex(*args, cwd=self.top, env=self.env)

    def begin(self, *args: str, screen: bool) -> None:
        """Start an engine, in a terminal or without a screen."""
        self.reap()
        self.end_logs()
        if screen:
            self.terminal = Terminal((*args, "--yes"), self.top, self.env, 100, 30, controls=True)
            self.engine = self.terminal.process
            return
        self.log = (self.folder / "logs" / f"{self.run}.log").open("a")
        self.engine = PexProcess(
            [*args, "--headless"],
            cwd=self.top,
            env=self.env,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )

    def listen(self) -> None:
        """Read what the app writes."""
        if self.terminal is not None and not self.terminal.is_hung_up:
            self.terminal.listen(0.02)

    def wait(self, seconds: float) -> int | None:
        """Return the engine's exit code, None if it is alive after so many seconds."""
        assert self.engine is not None
        give_up_at = time.monotonic() + seconds
        while (code := self.engine.poll()) is None and time.monotonic() < give_up_at:
            self.listen()
            time.sleep(0.02)
        return code

    def end_logs(self) -> None:
        """Close what the last engine wrote to."""
        if self.terminal is not None:
            self.terminal.__exit__(None, None, None)
            with (self.folder / "logs" / f"{self.run}.screens").open("a") as screens:
                screens.write(f"{self.terminal.process.returncode}\n{self.terminal.text}\n")
            self.terminal = None
        if self.log is not None:
            self.log.close()
            self.log = None

    def said(self) -> str:
        """Return what the run's engines have printed."""
        logs = (self.folder / "logs").glob(f"{self.run}.*")
        return "\n".join(log.read_text(errors="replace") for log in logs)

    def holder(self) -> Holder | None:
        places = self.places
        return current_holder(places.lock) if places else None

    def attempts(self) -> Iterator[tuple[str, int, Path]]:
        """Yield task, attempt and folder of the run's attempts."""
        places = self.places
        if places is None:
            return
        for folder in places.root.glob(f"runs/{self.run}/*/*"):
            if folder.name.isdecimal():
                yield folder.parent.name, int(folder.name), folder

    def live(self) -> list[StartRecord]:
        """Return the records of attempts at work."""
        records = [
            read_start(folder) for _, _, folder in self.attempts() if read_exit(folder) is None
        ]
        return [one for one in records if one is not None and exists(one.shim_pid)]

    def processes(self) -> list[int]:
        """Return the processes that belong to this world, by folder or environment."""
        mark, found = os.fsencode(self.folder), []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal() or int(entry.name) == os.getpid():
                continue
            with suppress(OSError):
                where = os.fsencode((entry / "cwd").readlink())
                if where.startswith(mark) or mark in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
        return found

    def kill_all(self) -> None:
        """Kill every process of this world, until there is none."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while (found := self.processes()) and time.monotonic() < give_up_at:
            for pid in found:
                signalled(pid, signal.SIGKILL)
            if self.engine is not None:
                self.engine.poll()
            time.sleep(0.01)

    def reap(self) -> None:
        """Wait for the end of an engine that was killed."""
        if self.engine is not None:
            with suppress(subprocess.TimeoutExpired):
                self.engine.wait(PATIENCE_SECONDS)

    def keep(self) -> None:
        """Copy what a disk of its own holds, which goes with the world."""
        if self.small:
            shutil.copytree(self.state, self.folder / "kept", symlinks=True, dirs_exist_ok=True)

    def close(self) -> None:
        """End everything; the folder stays."""
        self.kill_all()
        self.reap()
        self.end_logs()
        if self.small:
            subprocess.run(["umount", "-l", str(self.state)], check=False)


def exists(pid: int) -> bool:
    """Return whether the process is there and no zombie."""
    with suppress(OSError):
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    return False


def signalled(pid: int, number: signal.Signals) -> bool:
    """Send a signal; return whether the process was there."""
    with suppress(OSError):
        os.kill(pid, number)
        return True
    return False
