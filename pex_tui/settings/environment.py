"""Settings from environment variables, by pydantic-settings; loaded only if there are any."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, create_model
from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource

from pex_tui.planning.fields.declaration import Section, SectionOf
from pex_tui.planning.fields.kinds import MapOf


class _Variables(EnvSettingsSource):
    """Environment variables with parsed values."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """Return the value as it is: it has been parsed already."""
        del field_name, field
        return value


def nest_variables(
    section: type[Section], prefix: str, variables: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the values of `prefix` + `SECTION__KEY`, in any case, nested like the sections."""
    source = _Variables(
        _model(section),  # type: ignore[arg-type]  # reads fields, and sets nothing
        env_prefix=prefix,
        env_nested_delimiter="__",
    )
    source.env_vars = {name.lower(): value for name, value in variables.items()}
    return source()


def _model(section: type[Section]) -> type[BaseModel]:
    """Return a section's model for pydantic-settings: the names and the nesting."""
    fields: dict[str, Any] = {}
    for name, one in SectionOf(section).keys.items():
        if one.section is not None:
            fields[name] = (_model(one.section.type), ...)
        else:
            fields[name] = (dict[str, Any] if isinstance(one.kind, MapOf) else Any, None)
    return create_model(section.__name__, **fields)
