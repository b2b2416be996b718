"""Where a repository's runs live on disk; paths only, nothing is created or read here."""

from pathlib import Path

from msgspec import Struct

from pex_tui.core.model.ids import RunId, TaskId
from pex_tui.core.model.plan import TaskSpec


class Places(Struct, frozen=True):
    """The state directory of one repository, outside it and outside every agent's reach.

    `root` is `$XDG_STATE_HOME/pex-tui/<repository name>-<hash>`.
    """

    root: Path

    @property
    def journal(self) -> Path:
        """Return the SQLite journal of all runs."""
        return self.root / "journal.db"

    @property
    def lock(self) -> Path:
        """Held by the one engine of this repository."""
        return self.root / "engine.lock"

    @property
    def pool(self) -> Path:
        """Reused worktrees, one numbered folder each."""
        return self.root / "pool"

    @property
    def views(self) -> Path:
        """Shared read-only checkouts, one numbered folder for each commit in use; reused too."""
        return self.root / "views"

    @property
    def drafts(self) -> Path:
        """Plans that were being edited when the app had to end."""
        return self.root / "drafts"

    def run(self, run: RunId) -> Path:
        """Return a run's folder: agent logs, records, reports."""
        return self.root / "runs" / run

    def clock(self, run: RunId) -> Path:
        """How the run's clock stands to the machine's."""
        return self.run(run) / "clock.json"

    def faults(self, run: RunId) -> Path:
        """What failed inside without ending the run, for whoever has to mend it."""
        return self.run(run) / "faults.log"

    def attempt(self, run: RunId, task: TaskId, attempt: int) -> Path:
        """Return an attempt's folder: `output.log`, `start.json`, `exit.json`, `alive.lock`."""
        return self.run(run) / task / str(attempt)

    def programs(self, run: RunId) -> Path:
        """Return a folder with the programs that agents find at the end of their PATH."""
        return self.run(run) / ".programs"

    def prompt(self, run: RunId, task: TaskId, attempt: int) -> Path:
        """Return the task's prompt as a file, for commands: a variable may be too short for it."""
        return self.attempt(run, task, attempt) / "prompt.txt"

    def settings(self, run: RunId) -> Path:
        """Return a folder with git's settings as they were before any agent of the run ran."""
        return self.run(run) / ".settings"

    def output(self, run: RunId, task: TaskId, attempt: int) -> Path:
        """What the attempt printed, both streams, byte for byte."""
        return self.attempt(run, task, attempt) / "output.log"

    def log(self, run: RunId, spec: TaskSpec, attempt: int) -> Path:
        """What a person reads of the attempt: of an agent with a model what was said and done."""
        if spec.brief is None:
            return self.output(run, spec.id, attempt)
        return self.attempt(run, spec.id, attempt) / "transcript.log"

    def outputs(self, run: RunId, task: TaskId) -> Path:
        """Return the folder whose files go to dependents (`PEX_OUTPUTS`)."""
        return self.run(run) / task / "outputs"

    def gate_output(self, run: RunId, task: TaskId) -> Path:
        """What the last gate of the task printed."""
        return self.run(run) / task / "gate.log"
