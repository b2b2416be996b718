"""Comparison of a source with a folder of definitions, before anything is written."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct, field, to_builtins

from pex_tui.core.model.ids import AgentName
from pex_tui.planning.agent_definitions.definition import AgentDefinition
from pex_tui.planning.agent_definitions.definition_checks import (
    DefinitionFinding,
    check_definition,
    surprises,
)
from pex_tui.planning.agent_definitions.source_address import LeftOut, SourceFiles

LOCK_NAME = "agents.lock.json"
_VERSION = 1


class OfferStatus(StrEnum):
    """The relation of an offered definition to the folder's."""

    NEW = "new"
    SAME = "there already"
    DIFFERS = "differs from what is there"


class LockEntry(Struct, frozen=True):
    """The origin of a file of the folder; `path` is its name in the source."""

    file: str
    source: str
    commit: str | None
    path: str
    sha256: str


class Target(Struct, frozen=True):
    """A folder that definitions are added to.

    `hashes` are of its files by relative name, `files` the file names by agent name.
    """

    hashes: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[AgentName, str] = field(default_factory=dict)
    lock: tuple[LockEntry, ...] = ()


class OfferedAgent(Struct, frozen=True):
    """One definition of the source, and the effect of taking it."""

    agent: AgentDefinition
    content: bytes
    entry: LockEntry
    standing: OfferStatus
    findings: tuple[DefinitionFinding, ...]
    surprises: tuple[DefinitionFinding, ...]


class Offer(Struct, frozen=True):
    """All definitions of a source: usable ones, and those left out."""

    source: SourceFiles
    agents: tuple[OfferedAgent, ...]
    left_out: tuple[LeftOut, ...]

    def wanted(self, *, force: bool) -> tuple[OfferedAgent, ...]:
        """Return what is to be written or recorded; existing files that differ need `force`."""
        return tuple(
            offered
            for offered in self.agents
            if force or offered.standing is not OfferStatus.DIFFERS
        )


def make_offer(source: SourceFiles, target: Target) -> Offer:
    """Compare a source with the target; file names are made of agent names, so they are safe."""
    agents: list[OfferedAgent] = []
    left_out = list(source.left_out)
    taken: dict[str, str] = {}
    for file in source.files:
        try:
            text = file.content.decode("utf-8-sig")
        except UnicodeDecodeError:
            left_out.append(LeftOut(file.path, "it is not UTF-8 text"))
            continue
        stem = file.path.rpartition("/")[2].removesuffix(".md")
        checked = check_definition(text, stem, layer=str(source.origin), path=file.path)
        if checked.agent is None:
            left_out += [
                LeftOut(f"{file.path}:{finding.line}", finding.text) for finding in checked.findings
            ]
            continue
        name = checked.agent.name
        entry = _entry(source, file.path, file.content, name, target)
        if entry.file in taken:
            reason = f'{taken[entry.file]} is for {entry.file} too, as "{name}" is'
            left_out.append(LeftOut(file.path, reason))
        else:
            taken[entry.file] = file.path
            agents.append(
                OfferedAgent(
                    checked.agent,
                    file.content,
                    entry,
                    _standing(entry, target),
                    checked.findings,
                    surprises(text),
                )
            )
    return Offer(source, tuple(agents), tuple(left_out))


def parse_lock(text: str) -> tuple[LockEntry, ...]:
    """Parse a lock file; raise ValueError for one that pex-tui did not write."""
    content: Any = json.loads(text)
    if not isinstance(content, dict) or content.get("version") != _VERSION:
        raise ValueError(f"it is not of version {_VERSION}")
    listed = content.get("agents")
    if not isinstance(listed, list):
        raise ValueError("it has no list of agents")  # noqa: TRY004  # one kind of error
    return tuple(_read_entry(entry) for entry in listed)


def format_lock(entries: Iterable[LockEntry]) -> str:
    """Format a lock file: one line per file, in order, for readable diffs."""
    ordered = sorted(entries, key=lambda entry: entry.file)
    rows = ",\n".join(f"    {json.dumps(to_builtins(entry))}" for entry in ordered)
    return f'{{\n  "version": {_VERSION},\n  "agents": [\n{rows}\n  ]\n}}\n'


def merged(lock: Iterable[LockEntry], added: Iterable[LockEntry]) -> tuple[LockEntry, ...]:
    """Return the lock's entries with those of the added files replaced."""
    by_file = {entry.file: entry for entry in lock} | {entry.file: entry for entry in added}
    return tuple(by_file.values())


def _read_entry(entry: Any) -> LockEntry:
    keys = ("file", "source", "path", "sha256")
    if not isinstance(entry, dict) or not all(isinstance(entry.get(key), str) for key in keys):
        raise ValueError("an entry lacks its file, source, path or sha256")
    commit = entry.get("commit")
    if not isinstance(commit, str | None):
        raise ValueError("an entry's commit is not text")  # noqa: TRY004  # one kind of error
    return LockEntry(entry["file"], entry["source"], commit, entry["path"], entry["sha256"])


def _entry(
    source: SourceFiles, path: str, content: bytes, name: AgentName, target: Target
) -> LockEntry:
    origin = source.origin
    file = target.files.get(name, f"{name}.md")
    return LockEntry(file, origin.source, origin.commit, path, digest(content))


def digest(content: bytes) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _standing(entry: LockEntry, target: Target) -> OfferStatus:
    there = target.hashes.get(entry.file)
    if there is None:
        return OfferStatus.NEW
    return OfferStatus.SAME if there == entry.sha256 else OfferStatus.DIFFERS
