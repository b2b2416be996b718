"""The guard of one attempt: it applies the limits, and tells its shim when one is exceeded."""

import os
import re
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pex_tui.adapters.limits.cgroup import Cgroup, CgroupBase
from pex_tui.adapters.limits.disk_use import DiskUse
from pex_tui.adapters.limits.duty_cycle import DutyCycle
from pex_tui.adapters.limits.tree_use import proportional_bytes, tree_pids, tree_use
from pex_tui.adapters.limits.values import MACHINE, Breach, LimitRequest, Tier, TreeUse
from pex_tui.adapters.system import tree
from pex_tui.adapters.system.kernel import Stat, send_signal

_SETTLED_SECONDS = 0.1
_CALM_SECONDS = 1.0
_WATCHED_SECONDS = 0.25
_CLOSE_SECONDS = 0.05
_CLOSE_ABOVE = 0.85  # of the memory limit
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024
_OWN_SHARE = 0.9  # of its limit: a tree that was killed with less in use was killed for others
_VICTIM = 500  # agents are killed before the engine, its shims and the user's programs
_URGENT = 100  # less of it for each degree of urgency
_OOM = Path("/proc/self/oom_score_adj")
_KERNEL_COUNTS = Path("/proc/vmstat")
_KILLED = 128 + signal.SIGKILL  # the code by which shells and bubblewrap tell of a killed child


class Guard:
    """Holds the limits of the tree below this process, from its first program to its last.

    With a cgroup the kernel holds memory, CPU and the number of processes, and the guard only
    learns what it did. Moving into a cgroup may take the kernel tens of milliseconds, so a tree
    without a limit of memory or CPU is moved only once it has lived for a while. Without a cgroup
    the guard measures the tree, more often the closer it is to its memory limit, and stops it in
    turns for its CPU limit.
    """

    def __init__(
        self,
        limits: LimitRequest,
        folder: str,
        base: CgroupBase | None,
        name: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.breach: Breach | None = None
        self.peak_bytes = 0
        self.due = clock() + _SETTLED_SECONDS  # of the next look, on the clock
        self.tier = Tier.POLLING if base is None or limits.polls else base.tier
        self._limits = limits
        self._clock = clock
        self._base = None if limits.polls else base
        self._name = name
        self._cgroup: Cgroup | None = None
        self._is_inside = False
        self._disk = None if limits.disk_bytes is None else DiskUse(folder, limits.disk_bytes)
        self._disk_due = self.due + _CALM_SECONDS
        self._duty: DutyCycle | None = None
        self._stopped: dict[int, Stat] = {}
        self._last = (self.due, 0)  # the last look, and the memory then
        self._shared = (0, 0)  # the resident and the exact memory, when both were measured last
        self._kills = _kernel_kills()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Start a program within: it inherits the limits, and this process is free of them after.

        They are inherited, so that no process of the tree ever runs without them.
        """
        badness = _raise_badness(_VICTIM - _URGENT * self._limits.urgency)
        soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
        if self._base is None and self._limits.processes is not None:
            _limit_processes(self._limits.processes, soft, hard)
        try:
            if self._is_exact and self._make():
                self._is_inside = True
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_NPROC, (soft, hard))
            _set_badness(badness)
        if self._base is None:
            self.due = self._clock() + _CLOSE_SECONDS
        if self._base is None and self._limits.cpu_cores is not None:
            self._duty = DutyCycle(self._limits.cpu_cores, self._clock(), os.cpu_count() or 1)

    def look(self, *, may_run: bool) -> None:
        """Measure the tree, note a breach, and stop or continue it for its CPU limit.

        `may_run` is False while the tree is paused or being ended: then it is not touched.
        """
        now = self._clock()
        if self._base is not None:
            self._settle()
        wait = self._look_at_cgroup() if self._cgroup else self._look_at_tree(now, may_run=may_run)
        if self._disk is not None and now >= self._disk_due:
            self._disk_due = now + _CALM_SECONDS
            self._disk.look()
            self._compare("disk", self._limits.disk_bytes, self._disk.used_bytes)
        self.due = now + wait

    def release(self) -> None:
        """Let a tree run that was stopped for its CPU limit."""
        for pid, stat in self._stopped.items():
            send_signal(pid, signal.SIGCONT, stat)
        self._stopped.clear()
        if self._duty is not None:
            self._duty.is_stopped = False

    def close(self, status: int) -> None:
        """Take a last look at what the kernel did; the tree's root ended with this wait status."""
        if self._cgroup is not None:
            self._look_at_cgroup()
        # A program's largest size counts from before it was executed, as a copy of this process.
        largest, own = (
            resource.getrusage(who).ru_maxrss
            for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)
        )
        if largest > own:
            self.peak_bytes = max(self.peak_bytes, largest * _MAXRSS_UNIT)
        if self.breach is None and status and self._was_sacrificed(status):
            self._note(MACHINE, 0, self.peak_bytes)

    def _was_sacrificed(self, status: int) -> bool:
        """Return whether the kernel killed the tree for want of memory on the machine."""
        if self._cgroup is not None:
            return self._cgroup.has_killed()
        ended = os.waitstatus_to_exitcode(status)
        return ended in {-signal.SIGKILL, _KILLED} and _kernel_kills() > self._kills

    def remove(self) -> None:
        """Remove the cgroup of a tree that has ended; a launcher does that for its shims."""
        if self._cgroup is not None:
            self._settle()
            self._cgroup.remove()

    @property
    def cpu_seconds(self) -> float:
        """Return the CPU seconds of the processes that have ended: in the end, of all."""
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    @property
    def _is_exact(self) -> bool:
        """Return whether the program is to be limited from its first instruction."""
        return self._limits.memory_bytes is not None or self._limits.cpu_cores is not None

    def _settle(self) -> None:
        """Have the tree in the cgroup and this process out of it."""
        cgroup = self._cgroup
        if self._is_inside and cgroup is not None:
            self._is_inside = False
            with suppress(OSError):
                cgroup.leave()
        elif cgroup is None:
            self._make(tree_pids(os.getpid()))

    def _make(self, pids: Sequence[int] = (0,)) -> bool:
        """Make the cgroup and move these processes into it; poll from now on if that fails."""
        if self._base is None:
            return False
        cgroup = self._base.cgroup(self._name)
        try:
            cgroup.create()
            cgroup.hold(self._limits)
            _move(cgroup, pids)
        except OSError:
            self._base, self.tier = None, Tier.POLLING
            return False
        self._cgroup = cgroup
        return True

    def _look_at_cgroup(self) -> float:
        cgroup, limits = self._cgroup, self._limits
        if cgroup is None:
            return _CALM_SECONDS
        self.peak_bytes = max(self.peak_bytes, cgroup.memory_bytes())
        if limits.memory_bytes is not None and cgroup.has_killed():
            most = cgroup.peak_bytes()  # 0 where the kernel is too old to tell
            self.peak_bytes = max(self.peak_bytes, most)
            if not 0 < most < _OWN_SHARE * limits.memory_bytes:
                self._note("memory", limits.memory_bytes, self.peak_bytes)
        if limits.processes is not None:
            there = cgroup.processes()
            if cgroup.has_refused() or there > limits.processes:
                self._note("processes", limits.processes, max(there, limits.processes))
        return _CALM_SECONDS if limits.memory_bytes is None else _WATCHED_SECONDS

    def _look_at_tree(self, now: float, *, may_run: bool) -> float:
        pids = tree_pids(os.getpid())
        use = tree_use(pids)
        self._compare("processes", self._limits.processes, len(pids))
        wait = min(self._memory_wait(now, pids, use), self._cpu_wait(now, use, may_run=may_run))
        return min(wait, _WATCHED_SECONDS) if self._limits.processes is not None else wait

    def _memory_wait(self, now: float, pids: list[int], use: TreeUse) -> float:
        """Compare memory with its limit; return the seconds until the next look at it."""
        limit, used = self._limits.memory_bytes, use.memory_bytes
        if limit is not None and used > _CLOSE_ABOVE * limit:
            used = self._exact(limit, pids, used)
        self.peak_bytes = max(self.peak_bytes, used)
        if limit is None:
            return _CALM_SECONDS
        self._compare("memory", limit, used)
        then, before = self._last
        self._last = (now, used)
        growth = (used - before) / max(now - then, 1e-3)
        if used > _CLOSE_ABOVE * limit:
            return _CLOSE_SECONDS
        ahead = (limit - used) / growth / 2 if growth > 0 else _WATCHED_SECONDS
        return min(_WATCHED_SECONDS, max(_CLOSE_SECONDS, ahead))

    def _exact(self, limit: int, pids: list[int], resident: int) -> int:
        """Return the memory without counting shared pages twice, measured only if that matters.

        What the tree shares with itself can't grow faster than its resident size.
        """
        then, exact = self._shared
        grown = max(0, resident - then)
        if resident <= limit or exact + grown <= limit:
            return min(resident, exact + grown) if exact else resident
        self._shared = (resident, proportional_bytes(pids))
        return self._shared[1]

    def _cpu_wait(self, now: float, use: TreeUse, *, may_run: bool) -> float:
        """Stop or continue the tree; return the seconds until that is due again."""
        if self._duty is None or not may_run:
            return _CALM_SECONDS
        wait = self._duty.look(now, use.cpu_seconds + self.cpu_seconds)
        if self._duty.is_stopped and not self._stopped:
            for pid, stat in tree.descendants(os.getpid()).items():
                if not stat.is_stopped and send_signal(pid, signal.SIGSTOP, stat):
                    self._stopped[pid] = stat
        elif self._stopped and not self._duty.is_stopped:
            self.release()
        return wait

    def _compare(self, subject: str, limit: int | None, used: int) -> None:
        if limit is not None and used > limit:
            self._note(subject, limit, used)

    def _note(self, subject: str, limit: int, peak: int) -> None:
        if self.breach is None or self.breach.subject == subject:
            self.breach = Breach(subject, limit, max(peak, self.breach.peak if self.breach else 0))


def _move(cgroup: Cgroup, pids: Sequence[int]) -> None:
    """Move processes and what they have started meanwhile into the cgroup; raise OSError."""
    moved: set[int] = set()
    while fresh := [pid for pid in pids if pid not in moved]:
        for pid in fresh:
            with suppress(ProcessLookupError):
                cgroup.enter(pid)
        moved.update(fresh)
        pids = tree_pids(os.getpid()) if moved != {0} else ()


def _limit_processes(count: int, soft: int, hard: int) -> None:
    """Let this user have so many more threads than the machine has now; root is not bound by it."""
    try:
        there = int(Path("/proc/loadavg").read_text().split()[3].partition("/")[2])
    except (OSError, ValueError):  # not Linux
        return
    most = there + count
    if soft == resource.RLIM_INFINITY or most < soft:
        resource.setrlimit(resource.RLIMIT_NPROC, (most, hard))


def _raise_badness(badness: int) -> str:
    """Make what is started from now on the kernel's first victim; return the value before."""
    try:
        before = _OOM.read_text()
    except OSError:  # not Linux
        return ""
    _set_badness(str(max(badness, int(before))))
    return before


def _set_badness(value: str) -> None:
    if value:
        with suppress(OSError):
            _OOM.write_text(value)


def _kernel_kills() -> int:
    """Return how many processes the kernel has killed for want of memory; 0 if it doesn't tell."""
    try:
        found = re.search(r"^oom_kill (\d+)", _KERNEL_COUNTS.read_text(), re.MULTILINE)
    except OSError:  # not Linux
        return 0
    return int(found[1]) if found else 0
