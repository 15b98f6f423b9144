"""The variables about writing messages in webmail."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings

# Fits in a header field and in square brackets.
CLASSIFICATION = r"^[A-Za-z0-9][A-Za-z0-9 :/-]{0,39}$"


MEGABYTE = 1024 * 1024


class WritingVariables(BaseSettings):
    """What members may mark their messages with, and the files that they send as links."""

    # Such as ["OFFICIAL", "OFFICIAL-SENSITIVE"]; empty for none. Whether every message from
    # webmail must have one, and whether the subject shows it in front, beside the header
    # field X-Classification
    classifications: list[Annotated[str, Field(pattern=CLASSIFICATION)]] = Field(
        default=[]
    )
    classification_required: bool = False
    classification_in_subject: bool = True

    # Files too large for a message, sent as links: octets of one file, 0 to offer no links;
    # octets that one person, and one organisation, may share at a time; and days from
    # sending until the links expire. clamd and the website's proxy must take files of this
    # size, too: see deploy/clamd.conf and deploy/nginx.conf. 256 MB is what our own
    # inspection reads of one file
    linked_file_limit: int = Field(default=200 * MEGABYTE, ge=0, le=256 * MEGABYTE)
    linked_files_of_person: int = Field(default=2 * 1024 * MEGABYTE, ge=0)
    linked_files_of_organisation: int = Field(default=20 * 1024 * MEGABYTE, ge=0)
    linked_file_days: int = Field(default=30, ge=1, le=365)
