"""Loads the configuration, and says in words which variable is wrong."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError

from portal.configuration.environment import Environment


def load() -> Environment:
    """Returns the configuration. Raises ImproperlyConfigured naming each wrong variable."""
    try:
        return Environment()
    except ValidationError as error:
        lines = "\n".join(f"  - {_described(one)}" for one in error.errors())
        raise ImproperlyConfigured(f"Postern does not start:\n{lines}") from None
    except SettingsError as error:
        raise ImproperlyConfigured(
            f"Postern does not start: {error}. Lists are written in JSON, such as "
            '["mail.justice.test"].'
        ) from None


def _described(error: ErrorDetails) -> str:
    """Returns a sentence without the value, which may be a secret."""
    names = [str(part) for part in error["loc"]]
    variable = f"POSTERN_{names[0].upper()}: " if names else ""
    return variable + error["msg"].removeprefix("Value error, ")
