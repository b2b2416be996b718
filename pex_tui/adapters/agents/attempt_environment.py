"""The environment of an agent's process: variables of the user's, and those of the contract."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pex_tui.core.model.argument_limits import PROMPT, PROMPT_FILE, as_variable
from pex_tui.core.model.ids import SlotId
from pex_tui.core.model.plan import TaskSpec
from pex_tui.core.passed_variables import passed_variables
from pex_tui.engine.attempt import AttemptKey


def attempt_environment(
    user: Mapping[str, str],
    key: AttemptKey,
    spec: TaskSpec,
    *,
    slot: SlotId,
    workspace: Path,
    port: int,
    outputs: Path,
    prompt_file: Path,
    inputs: Sequence[Path] = (),
    socket: Path | None = None,
    token: str = "",
    passed: Iterable[str] = (),
) -> dict[str, str]:
    """Return the complete environment of an attempt's process.

    `user` is the environment that pex-tui was started in, `port` the first of ten free ports,
    `outputs` the folder whose files go to dependents, `inputs` the folders of the task's needs,
    `prompt_file` a file with the whole prompt (which may be too long for a variable), `passed` the
    patterns of `safety.env_pass`, and `token` the credential for the agents' `socket`. The task's
    own variables override all others.
    """
    contract = {
        "PEX_RUN": key.run,
        "PEX_TASK": key.task,
        "PEX_ATTEMPT": str(key.attempt),
        "PEX_SLOT": str(slot),
        "PEX_WORKSPACE": os.fspath(workspace),
        "PEX_PORT": str(port),
        "PEX_OUTPUTS": os.fspath(outputs),
        "PEX_INPUTS": os.pathsep.join(map(os.fspath, inputs)),
        "PEX_SOCKET": os.fspath(socket) if socket is not None else "",
        "PEX_TOKEN": token,
        PROMPT: as_variable(spec.prompt),
        PROMPT_FILE: os.fspath(prompt_file),
    }
    return {
        **passed_variables(user, passed),
        "PWD": os.fspath(workspace / spec.folder),
        **contract,
        **dict(spec.env),
    }
