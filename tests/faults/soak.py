"""Soak: random plans under random faults, with invariants checked throughout.

    python -m tests.faults.soak --minutes 60 --seed 1

Each round is one run in a repository of its own. A violated invariant ends its round; the summary
names it, the round, and its folder, which is kept. The exit code is then 1. `--round N` repeats a
single round.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psutil

from pex_tui.core.model.phases import RunStage
from pex_tui.core.model.state import Outcome
from tests.faults.soaking.faults import FAULTS, GENTLE
from tests.faults.soaking.invariants import (
    AT_THE_END,
    ENDED,
    THROUGHOUT,
    ended_well,
    events_of,
    replayed,
)
from tests.faults.soaking.plans import make_plan
from tests.faults.soaking.world import PATIENCE_SECONDS, SoakError, World

_MOST_RESUMES = 4
_MEMORY_TOLERANCE = 0.10
_LONG_TASKS = 200


@dataclass
class Tally:
    """What a soak has done so far."""

    faults: Counter[str] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)
    engines: int = 0
    rounds: int = 0
    codes: Counter[int] = field(default_factory=Counter)
    memory: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return the summary."""
        faults = (f"  {count:6} {name}" for name, count in sorted(self.faults.items()))
        checks = (f"  {count:6} {name}" for name, count in sorted(self.checks.items()))
        return [
            f"{self.rounds} runs, {self.engines} engines, {self.faults.total()} faults",
            *("faults:", *faults, "invariants held:", *checks),
            f"exit codes: {dict(sorted(self.codes.items()))}",
            *self.memory,
            *(f"VIOLATED {one}" for one in self.violations),
        ]


@dataclass
class Round:
    """One run in a world of its own: faults for a while, then quiet until it ends."""

    world: World
    dice: Random
    tally: Tally

    def go(self, seconds: float, most_tasks: int) -> None:
        """Run it; raise SoakError for a violation."""
        world, dice = self.world, self.dice
        world.run = "r1"
        plan = world.folder / "plan.json"
        plan.write_text(make_plan(dice, most_tasks))
        self._start("run", str(plan), "--name", world.run)
        quiet_at = time.monotonic() + seconds
        while time.monotonic() < quiet_at:
            world.wait(dice.uniform(0.0, 1.2))
            if world.engine is not None and world.engine.poll() is not None:
                self._ended()
                if not self._continue():
                    break
            self._fault(tuple(FAULTS))
            self._check_throughout()
        self._calm()
        for name, check in AT_THE_END.items():
            check(world)
            self.tally.checks[name] += 1

    def _start(self, *args: str) -> None:
        self.tally.engines += 1
        self.world.begin(*args, screen=self.dice.random() < 0.2)

    def _fault(self, names: tuple[str, ...]) -> None:
        weights = [FAULTS[name][1] for name in names]
        (name,) = self.dice.choices(names, weights)
        if FAULTS[name][0](self.world, self.dice):
            self.tally.faults[name] += 1

    def _check_throughout(self) -> None:
        for name, check in THROUGHOUT.items():
            check(self.world)
            self.tally.checks[name] += 1

    def _ended(self) -> None:
        """Look at how the engine has ended."""
        code = self.world.wait(0.0)
        assert code is not None
        self.tally.codes[code] += 1
        self.world.end_logs()
        ended_well(self.world, code)
        self.tally.checks["no exception"] += 1

    def _continue(self) -> bool:
        """Resume the run if there is anything left of it to do; start it if it never began."""
        ended = self.world.pex("runs")
        if self.world.run not in ended.stdout:
            plan = str(self.world.folder / "plan.json")
            self._start("run", plan, "--name", self.world.run)
            return True
        state = replayed(events_of(self.world))
        if state is not None and state.outcome is Outcome.OK:
            return False  # also if its engine was killed when all was done
        self._start("resume", self.world.run)
        return True

    def _calm(self) -> None:
        """Let the run end by itself; one that has not ended well is resumed a few times."""
        for left in range(_MOST_RESUMES, -1, -1):
            self._leave_screen()
            code = self._ending()
            if code is None:
                raise SoakError("no stuck run", f"still there: {self._shown()}")
            self._ended()
            state = replayed(events_of(self.world))
            has_ended = code in ENDED or (state is not None and state.stage is RunStage.FINISHED)
            if code == 0 or (has_ended and (not left or self.dice.random() < 0.5)):
                return
            if not left:
                raise SoakError("no stuck run", f"the last engine ended with {code}")
            if not self._continue():
                return

    def _ending(self) -> int | None:
        """Return the engine's exit code, None if nothing is journaled any more and it stays."""
        seen = -1
        while (code := self.world.wait(PATIENCE_SECONDS)) is None:
            before, seen = seen, len(events_of(self.world))
            if seen <= before:
                break
        return code

    def _leave_screen(self) -> None:
        """Take the terminal away: an app stays when its run is over."""
        if self.world.terminal is not None:
            self.world.wait(3.0)
            self.world.terminal.hang_up()

    def _shown(self) -> str:
        terminal = self.world.terminal
        return self.world.said()[-2000:] if terminal is None else terminal.text


def long_round(world: World, dice: Random, tally: Tally, most_tasks: int) -> None:
    """Run one engine through many tasks under faults that it survives; its memory stays flat."""
    this = Round(world, dice, tally)
    world.run = "long"
    plan = world.folder / "plan.json"
    plan.write_text(make_plan(dice, most_tasks, slots=4))
    tally.engines += 1
    world.begin("run", str(plan), "--name", world.run, screen=False)
    assert world.engine is not None
    process, sizes = psutil.Process(world.engine.pid), []
    while world.wait(dice.uniform(0.2, 0.6)) is None:
        sizes.append(process.memory_info().rss)
        this._fault(GENTLE)
        this._check_throughout()
    this._calm()
    third = len(sizes) // 3
    if third >= 10:
        before, after = (
            sorted(sizes[third : 2 * third])[third // 2],
            sorted(sizes[-third:])[third // 2],
        )
        tally.memory.append(f"memory of one engine: {before >> 20} MB, later {after >> 20} MB")
        if after > before * (1 + _MEMORY_TOLERANCE):
            raise SoakError("memory is flat", tally.memory[-1])
        tally.checks["memory is flat"] += 1


def soak(seconds: float, seed: int, *, only: int | None, keep: Path, most_tasks: int) -> Tally:
    """Play rounds until the time is up."""
    tally, until, number = Tally(), time.monotonic() + seconds, only or 0
    while time.monotonic() < until or tally.rounds == 0:
        dice = Random(f"{seed}/{number}")  # noqa: S311  # a seed for faults, not for secrets
        folder = keep / f"round-{number}"
        is_long = number % 20 == 19  # too long for a small disk
        small = not is_long and os.geteuid() == 0 and _can_mount() and dice.random() < 0.3
        world = World(folder, small=small)
        try:
            if is_long:
                long_round(world, dice, tally, _LONG_TASKS)
            else:
                Round(world, dice, tally).go(min(20.0, seconds / 2), most_tasks)
        except SoakError as error:
            told = f"{error}\n(seed {seed}, --round {number}; kept: {folder})"
            tally.violations.append(told)
            sys.stderr.write(f"VIOLATED {told}\n")
            world.keep()
        finally:
            world.close()
        if not tally.violations or str(folder) not in tally.violations[-1]:
            shutil.rmtree(folder, ignore_errors=True)
        tally.rounds += 1
        number += 1
        if only is not None:
            break
    return tally


def _can_mount() -> bool:
    return shutil.which("mount") is not None and Path("/proc/self/mounts").exists()


def main() -> int:
    """Soak as the command line says."""
    parser = argparse.ArgumentParser(description="random plans under random faults")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--round", type=int, help="repeat this round only")
    parser.add_argument("--tasks", type=int, default=8, help="most tasks of a plan")
    options = parser.parse_args()
    keep = Path(tempfile.mkdtemp(prefix="pex-soak-"))
    tally = soak(
        options.minutes * 60,
        options.seed,
        only=options.round,
        keep=keep,
        most_tasks=options.tasks,
    )
    sys.stdout.write("\n".join(tally.lines()) + "\n")
    if tally.violations:
        return 1
    shutil.rmtree(keep, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
