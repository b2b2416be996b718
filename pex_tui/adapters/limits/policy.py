"""The limits of a run's attempts, by its rules and settings."""

from msgspec import Struct

from pex_tui.core.model.memory import reserved_bytes
from pex_tui.core.model.plan import Priority, TaskSpec
from pex_tui.core.model.run_rules import Enforcement, RunRules
from pex_tui.engine.attempt import Limits

_URGENCIES = {Priority.CRITICAL: 2, Priority.HIGH: 1, Priority.NORMAL: 0, Priority.LOW: -1}


class LimitPolicy(Struct, frozen=True):
    """The limits of a run; `cores` are the machine's.

    The number of processes and the disk space are always limited, memory and CPU if the rules say
    so. Otherwise an agent's share of the processor counts while all want it.
    """

    rules: RunRules
    cores: int
    processes: int | None = None
    disk_bytes: int | None = None
    polls: bool = False

    @property
    def of_checks(self) -> Limits:
        """The limits of a command of the gate or the setup.

        It gets all the processor that it can use: landings wait for it.
        """
        rules = self.rules
        held = rules.enforce is Enforcement.ALWAYS
        return Limits(
            memory_bytes=rules.memory_per_agent if held else None,
            processes=self.processes,
            disk_bytes=self.disk_bytes,
            polls=self.polls,
        )

    def limits(self, spec: TaskSpec) -> Limits:
        """Return the limits of a task's attempts."""
        rules = self.rules
        held = rules.enforce is Enforcement.ALWAYS
        share = rules.cpu_per_agent * self.cores if spec.cpu_cores is None else spec.cpu_cores
        return Limits(
            memory_bytes=reserved_bytes(spec, rules) if held else None,
            cpu_cores=share if held else None,
            share=share,
            processes=self.processes,
            disk_bytes=self.disk_bytes,
            polls=self.polls,
            urgency=_URGENCIES[spec.priority],
        )
