"""The value types of plan files and agent definitions for pydantic, with their JSON Schemas."""

from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from pex_tui.core.model.plan import LockMode
from pex_tui.core.model.run_rules import MOST_SLOTS
from pex_tui.planning.fields import quantities
from pex_tui.planning.fields.readers import (
    ID_PATTERN,
    MAX_ID_LENGTH,
    read_command,
    read_commands,
    read_duration,
    read_env,
    read_folder,
    read_glob,
    read_id,
    read_list,
    read_locks,
    read_percent,
    read_positive_duration,
    read_rate,
    read_revision,
    read_size,
    read_slots,
    read_text,
    read_word,
)

_TEXT_SCHEMA = {"type": ["string", "number", "boolean"]}
_COMMAND_SCHEMA = {
    "anyOf": [
        {"type": "string", "minLength": 1},
        {"type": "array", "items": _TEXT_SCHEMA, "minItems": 1},
    ]
}
_LOCK_MODES = {
    "type": "object",
    "additionalProperties": {"enum": [mode.value for mode in LockMode]},
}

Text = Annotated[str, BeforeValidator(read_text), WithJsonSchema(_TEXT_SCHEMA)]
Word = Annotated[
    str, BeforeValidator(read_word), WithJsonSchema({"type": "string", "minLength": 1})
]
TaskIdText = Annotated[
    str,
    BeforeValidator(read_id),
    WithJsonSchema({"type": "string", "pattern": ID_PATTERN, "maxLength": MAX_ID_LENGTH}),
]
Folder = Annotated[
    str, BeforeValidator(read_folder), WithJsonSchema({"type": "string", "minLength": 1})
]
Glob = Annotated[
    str, BeforeValidator(read_glob), WithJsonSchema({"type": "string", "minLength": 1})
]
Revision = Annotated[
    str, BeforeValidator(read_revision), WithJsonSchema({"type": "string", "minLength": 1})
]
Command = Annotated[tuple[str, ...], BeforeValidator(read_command), WithJsonSchema(_COMMAND_SCHEMA)]
Commands = Annotated[
    tuple[tuple[str, ...], ...],
    BeforeValidator(read_commands),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "minLength": 1}, {"type": "array", "items": _COMMAND_SCHEMA}]}
    ),
]
Locks = Annotated[
    tuple[tuple[str, LockMode], ...],
    BeforeValidator(read_locks),
    WithJsonSchema(
        {
            "anyOf": [
                _LOCK_MODES,
                {"type": "array", "items": {"anyOf": [{"type": "string"}, _LOCK_MODES]}},
            ]
        }
    ),
]
Env = Annotated[
    tuple[tuple[str, str], ...],
    BeforeValidator(read_env),
    WithJsonSchema({"type": "object", "additionalProperties": _TEXT_SCHEMA}),
]
Slots = Annotated[
    int,
    BeforeValidator(read_slots),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MOST_SLOTS}),
]
Words = Annotated[tuple[Word, ...], BeforeValidator(read_list)]
_DURATION_SCHEMA = {"type": ["string", "number"], "pattern": quantities.DURATION_PATTERN}
Duration = Annotated[float, BeforeValidator(read_duration), WithJsonSchema(_DURATION_SCHEMA)]
PositiveDuration = Annotated[
    float, BeforeValidator(read_positive_duration), WithJsonSchema(_DURATION_SCHEMA)
]
Size = Annotated[
    int,
    BeforeValidator(read_size),
    WithJsonSchema({"type": "string", "pattern": quantities.SIZE_PATTERN}),
]
Rate = Annotated[
    int,
    BeforeValidator(read_rate),
    WithJsonSchema({"type": "string", "pattern": quantities.SIZE_PATTERN[:-1] + "/s$"}),
]
Percent = Annotated[
    float,
    BeforeValidator(read_percent),
    WithJsonSchema({"type": "string", "pattern": quantities.PERCENT_PATTERN}),
]
