"""The variables about writing messages in webmail."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings

# Fits in a header field and in square brackets.
CLASSIFICATION = r"^[A-Za-z0-9][A-Za-z0-9 :/-]{0,39}$"


class WritingVariables(BaseSettings):
    """What members may mark their messages with."""

    # Such as ["OFFICIAL", "OFFICIAL-SENSITIVE"]; empty for none. Whether every message from
    # webmail must have one, and whether the subject shows it in front, beside the header
    # field X-Classification
    classifications: list[Annotated[str, Field(pattern=CLASSIFICATION)]] = Field(
        default=[]
    )
    classification_required: bool = False
    classification_in_subject: bool = True
