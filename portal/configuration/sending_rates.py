"""Sending rates as the environment sets them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Rates(BaseModel):
    """The limits for one minute, hour and day: {"minute": 60, "hour": 500, "day": 2000}."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    minute: int = Field(ge=1)
    hour: int = Field(ge=1)
    day: int = Field(ge=1)

    def times(self, factor: int) -> Rates:
        """Returns all three limits multiplied by a factor."""
        return Rates(
            minute=self.minute * factor, hour=self.hour * factor, day=self.day * factor
        )
