"""Documents generated from the declared settings are up to date and complete."""

import json
import re
import subprocess
import sys

import pytest

from pex_tui.core.textmerge.auto_strategies import STRATEGIES
from pex_tui.planning.fields.declaration import Declared, keys_of
from pex_tui.planning.fields.documents import read_document
from pex_tui.planning.fields.kinds import Findings, ListOf
from pex_tui.settings.model import Settings
from pex_tui.settings.setting import Trust, setting_of
from pex_tui.tui.keymap import key_ids
from tests.tools.settings_documents import documents, schema, yaml_text

SETTINGS = {".".join(path): one for path, one in keys_of(Settings) if one.section is None}
READS_ITSELF = """
import sys
from pex_tui.settings.load import load_settings
load_settings(None, (), {"HOME": "/nowhere"})
print(*sorted({"pydantic", "yaml", "textual", "networkx"} & set(sys.modules)))
"""

each_setting = pytest.mark.parametrize("one", SETTINGS.values(), ids=SETTINGS)


def test_the_files_are_those_that_the_declarations_make() -> None:
    """If this fails: python -m tests.tools."""
    stale = [path.name for path, text in documents().items() if path.read_text("utf-8") != text]

    assert stale == []


def test_every_key_that_can_be_moved_is_listed() -> None:
    listed = yaml_text().partition("These can be moved:")[2].replace("#", " ").split()

    assert listed == sorted(key_ids())


@each_setting
def test_help_is_one_line_that_names_every_choice(one: Declared) -> None:
    kind = one.kind.inner if isinstance(one.kind, ListOf) else one.kind
    choices = [name for name in kind.schema().get("enum", ()) if isinstance(name, str)]

    assert re.fullmatch(r"[^\n|]*[^\n|.]", one.key.help)
    assert [name for name in choices if f"`{name}`" not in one.key.help] == []


@each_setting
def test_a_default_can_be_written_as_it_is_shown(one: Declared) -> None:
    text = json.dumps(one.kind.written(one.default), ensure_ascii=False)
    findings: Findings = []
    found = one.kind.read(read_document(text).content, (), findings)

    assert (found, findings) == (one.default, [])


def test_the_schema_knows_every_setting() -> None:
    known = set()
    for name in SETTINGS:
        described = schema()
        for key in name.split("."):
            described = described["properties"][key]
        known |= {name} if described["description"] and "default" in described else set()

    assert known == SETTINGS.keys()


def test_all_but_these_settings_need_trust_when_a_repository_makes_them() -> None:
    """For each new setting, ask: what could a hostile repository do with it?"""
    trusted = [path for path, one in keys_of(Settings) if setting_of(one).trust is not None]
    harmless = {
        name
        for name in SETTINGS
        if not any(f"{name}.".startswith(".".join((*path, ""))) for path in trusted)
    }
    sections = {name.partition(".")[0] for name in harmless}

    assert sections == {"thread_pool", "monitoring", "conflict_resolution", "gate", "safety"} | {
        "compatibility",
        "keymap",
    }
    assert {name for name in harmless if name.startswith(("safety", "gate", "compat"))} == {
        *("gate.batch", "gate.speculate", "gate.timeout"),
        *("safety.grace", "compatibility.clusters"),
    }
    assert {name for name in harmless if name.startswith("conflict")} == {
        f"conflict_resolution.{name}"
        for name in (
            *("fallback_mode", "threshold", "sequential_above", "radar", "leases"),
            *("break_cycles", "lock_timeout"),
        )
    }


def test_every_strategy_can_be_allowed() -> None:
    listed = SETTINGS["conflict_resolution.silent"].kind.schema()["items"]["enum"]

    assert listed == [one.name for one in STRATEGIES if not one.by_path]
    assert all(
        setting_of(SETTINGS[f"conflict_resolution.{one.name}"]).trust is Trust.POWER
        for one in STRATEGIES
        if one.by_path
    )


def test_settings_as_shipped_need_neither_yaml_nor_pydantic() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", READS_ITSELF], capture_output=True, text=True, check=True
    )

    assert loaded.stdout.split() == []
