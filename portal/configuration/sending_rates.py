"""Sending rates as the environment sets them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings


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


class SendingRateVariables(BaseSettings):
    """How much people, connections, keys and lists may send."""

    # Sending rates, far above a normal day's use. A sender above them is told to retry
    # later, and an operator can grant an allowance. A list counts as one recipient for the
    # author, and with all its members for itself.
    person_messages: Rates = Rates(minute=60, hour=500, day=2_000)
    person_recipients: Rates = Rates(minute=2_000, hour=5_000, day=20_000)
    connection_messages: Rates = Rates(minute=1_000, hour=20_000, day=100_000)
    connection_recipients: Rates = Rates(minute=10_000, hour=100_000, day=500_000)
    key_messages: Rates = Rates(minute=600, hour=20_000, day=100_000)
    key_recipients: Rates = Rates(minute=5_000, hour=50_000, day=200_000)
    list_messages: Rates = Rates(minute=30, hour=200, day=1_000)
    list_recipients: Rates = Rates(minute=50_000, hour=200_000, day=1_000_000)
