"""Settings from environment variables, as pydantic-settings finds them: only loaded for any."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource


class _Variables(EnvSettingsSource):
    """Variables whose values have been read."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """The value as it is: it is no JSON any more."""
        del field_name, field
        return value


def nest_variables(
    model: type[BaseModel], prefix: str, variables: Mapping[str, Any]
) -> dict[str, Any]:
    """The values of `prefix` + `SECTION__KEY`, in whatever case, as sections of the model."""
    source = _Variables(
        model,  # type: ignore[arg-type]  # it reads fields, and no setting of the class is set
        env_prefix=prefix,
        env_nested_delimiter="__",
    )
    source.env_vars = {name.lower(): value for name, value in variables.items()}
    return source()
