"""Options for making workspaces, from the configuration."""

from msgspec import Struct, field

from pex_tui.adapters.process.confined_command import Confinement


class WorkspaceOptions(Struct, frozen=True):
    """The `workspaces` section of the configuration.

    `setup` is an argv, or a string for `sh -c`. `keep` are ignored paths that a reset leaves alone,
    as `.gitignore` patterns. `include_file` names the file in the user's checkout with patterns of
    the untracked files to copy into each workspace. The setup runs in the `confinement`.
    """

    setup: tuple[str, ...] | str | None = None
    keep: tuple[str, ...] = ()
    include_file: str = ".worktreeinclude"
    setup_timeout_seconds: float = 1800.0
    confinement: Confinement = field(default_factory=Confinement)

    @property
    def setup_argv(self) -> tuple[str, ...]:
        """The setup command as an argv; empty if there is none."""
        if isinstance(self.setup, str):
            return ("sh", "-c", self.setup) if self.setup.strip() else ()
        return self.setup or ()
