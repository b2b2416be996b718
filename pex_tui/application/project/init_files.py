"""The files that `pex-tui init` puts into a repository, made from the shipped ones."""

import re

from pex_tui.adapters.library.file_installer import WantedFile
from pex_tui.resources import shipped
from pex_tui.settings.load import REPOSITORY_FILE
from pex_tui.textfiles import read_text_file

COMMAND_FILE = ".claude/commands/execute.md"
WORKFLOW_FILE = ".github/workflows/pex-tui.yml"
IGNORE_FILE = ".pex/.gitignore"
PURPOSES = {
    str(REPOSITORY_FILE): "settings for everyone who works here; all are defaults, commented out",
    IGNORE_FILE: "keeps .pex/plan.yaml, the plan of the last /execute, out of git",
    COMMAND_FILE: "Claude Code's /execute GOAL: plans and runs through pex-tui",
    WORKFLOW_FILE: "runs a plan on GitHub Actions, when you start it there",
}
_TEMPLATES = {
    IGNORE_FILE: "config/init/gitignore",
    COMMAND_FILE: "config/init/execute.md",
    WORKFLOW_FILE: "config/init/pex-tui.yml",
}
_SECTION = re.compile(r"[a-z_]+:\s*(#.*)?")


def starter_files() -> tuple[WantedFile, ...]:
    """Return the files; raise UserError if the installation lacks one."""
    texts = {str(REPOSITORY_FILE): _settings()}
    texts |= {path: _shipped(template) for path, template in _TEMPLATES.items()}
    return tuple(WantedFile(path, texts[path].encode()) for path in PURPOSES)


def commented_out(settings: str) -> str:
    """Return a settings file with open sections and every setting commented out.

    The comment at the beginning of the file is dropped.
    """
    lines = settings.splitlines()
    while lines and lines[0].startswith("#"):
        lines.pop(0)
    return "\n".join(_commented_out(line) for line in lines) + "\n"


def _commented_out(line: str) -> str:
    if not line.strip() or _SECTION.fullmatch(line):
        return line
    setting = line.lstrip()
    indent = " " * (len(line) - len(setting))
    return f"{indent}  {setting}" if setting.startswith("#") else f"{indent}# {setting}"


def _settings() -> str:
    return _shipped("config/init/pex.yaml") + commented_out(_shipped("config/pex.yaml"))


def _shipped(name: str) -> str:
    return read_text_file(shipped(name), "template")
