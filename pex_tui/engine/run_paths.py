"""Paths of runs in the state directory; nothing is created or read here."""

from pathlib import Path

from msgspec import Struct

from pex_tui.core.model.ids import RunId, TaskId
from pex_tui.core.model.plan import TaskSpec


class RunPaths(Struct, frozen=True):
    """The state directory of one repository, outside it and out of agents' reach.

    `root` is `$XDG_STATE_HOME/pex-tui/<repository name>-<hash>`.
    """

    root: Path

    @property
    def journal(self) -> Path:
        """Return the SQLite journal of all runs."""
        return self.root / "journal.db"

    @property
    def lock(self) -> Path:
        """Return the lock file of the repository's one engine."""
        return self.root / "engine.lock"

    @property
    def pool(self) -> Path:
        """Return the folder of reused worktrees, one numbered folder each."""
        return self.root / "pool"

    @property
    def views(self) -> Path:
        """Return the folder of reused read-only checkouts, one numbered folder per commit."""
        return self.root / "views"

    @property
    def drafts(self) -> Path:
        """Return the folder of plans that were being edited when the app had to exit."""
        return self.root / "drafts"

    @property
    def undo(self) -> Path:
        """Return the folder of the undo log, one folder for each entry."""
        return self.root / "undo"

    def run(self, run: RunId) -> Path:
        """Return a run's folder: agent logs, records, reports."""
        return self.root / "runs" / run

    def clock(self, run: RunId) -> Path:
        """Return the file with the offset of the run's clock to the machine's."""
        return self.run(run) / "clock.json"

    def faults(self, run: RunId) -> Path:
        """Return the log of internal errors that did not end the run."""
        return self.run(run) / "faults.log"

    def attempt(self, run: RunId, task: TaskId, attempt: int) -> Path:
        """Return an attempt's folder: `output.log`, `start.json`, `exit.json`, `alive.lock`."""
        return self.run(run) / task / str(attempt)

    def programs(self, run: RunId) -> Path:
        """Return a folder with the programs that agents find at the end of their PATH."""
        return self.run(run) / ".programs"

    def prompt(self, run: RunId, task: TaskId, attempt: int) -> Path:
        """Return the file with a task's prompt, which may not fit an environment variable."""
        return self.attempt(run, task, attempt) / "prompt.txt"

    def settings(self, run: RunId) -> Path:
        """Return a folder with git's settings from before any agent of the run."""
        return self.run(run) / ".settings"

    def output(self, run: RunId, task: TaskId, attempt: int) -> Path:
        """Return the attempt's output, both streams, byte for byte."""
        return self.attempt(run, task, attempt) / "output.log"

    def log(self, run: RunId, spec: TaskSpec, attempt: int) -> Path:
        """Return the log for people: for an agent with a model, its transcript."""
        if spec.brief is None:
            return self.output(run, spec.id, attempt)
        return self.attempt(run, spec.id, attempt) / "transcript.log"

    def outputs(self, run: RunId, task: TaskId) -> Path:
        """Return the folder whose files go to dependents (`PEX_OUTPUTS`)."""
        return self.run(run) / task / "outputs"

    def gate_output(self, run: RunId, task: TaskId) -> Path:
        """Return the output of the task's last gate."""
        return self.run(run) / task / "gate.log"
