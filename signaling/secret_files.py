"""Settings that are secrets: read from files, as container platforms hand them out, and refused where they are weak."""

import os
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from signaling.errors import SettingError

LEAST_LENGTH: Final = 32
LEAST_VARIETY: Final = 10
PLACEHOLDERS: Final = ("change", "secret", "default", "example", "password", "placeholder", "replace")
MAX_SECRET_BYTES: Final = 65536


class SecretFiles(PydanticBaseSettingsSource):
    """For each secret setting `x`: the text of the file that FACEWIRE_X_FILE names, without the line end.

    Raises SettingError for a file that cannot be read, and where FACEWIRE_X is given as well.
    """

    def __init__(self, kind: type[BaseSettings]) -> None:
        super().__init__(kind)
        self._prefix = str(kind.model_config.get("env_prefix", "")).upper()

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Read one setting's file; None where there is none."""
        name = f"{self._prefix}{field_name.upper()}"
        path = os.environ.get(f"{name}_FILE", "") if _is_secret(field) else ""
        if not path:
            return None, field_name, False
        if os.environ.get(name):
            raise SettingError(f"expected {name} or {name}_FILE, got both: give one of them")
        return _read(name, Path(path)), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Read all of them."""
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


def _is_secret(field: FieldInfo) -> bool:
    return SecretStr in (field.annotation, *get_args(field.annotation))


def _read(name: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SECRET_BYTES + 1)
        if len(content) > MAX_SECRET_BYTES:
            raise SettingError(
                f"expected {name}_FILE to name a file of one secret, got more than {MAX_SECRET_BYTES} bytes"
            )
        text = content.decode().strip()
    except OSError as error:
        raise SettingError(f"expected {name}_FILE to name a file with the secret: {error.strerror}: {path}") from None
    except UnicodeDecodeError:
        raise SettingError(f"expected {name}_FILE to name a text file, got something else: {path}") from None
    if not text:
        raise SettingError(f"expected a secret in the file that {name}_FILE names, it is empty: {path}")
    return text


def refuse_weak(secret: str) -> None:
    """Raise ValueError, which says what is wrong and never the secret, for one that could be guessed."""
    lowered = secret.lower()
    if len(secret) < LEAST_LENGTH:
        wrong = f"it has {len(secret)}"
    elif any(word in lowered for word in PLACEHOLDERS):
        wrong = "it is a placeholder from an example"
    elif len(set(secret)) < LEAST_VARIETY:
        wrong = f"it uses {len(set(secret))} different ones"
    else:
        return
    raise ValueError(
        f"expected a secret of at least {LEAST_LENGTH} characters drawn by chance, {wrong}: make one with "
        "`openssl rand -hex 32`"
    )
