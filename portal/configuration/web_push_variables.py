"""The variables about notifications that reach browsers while no page is open."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings

# A host, or "*." and a domain for all hosts below it.
HOST = r"^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$"


class WebPushVariables(BaseSettings):
    """Whether members may choose such notifications, and which push services carry them."""

    # Off until the operator allows it: it takes HTTPS from the workers to the push services
    # of browser vendors, which learn when a browser has new mail, and nothing of the mail
    web_push: bool = False
    # The services of Chrome, Firefox, Edge and Safari; no other host is ever called
    web_push_hosts: list[Annotated[str, Field(pattern=HOST)]] = Field(
        default=[
            "fcm.googleapis.com",
            "updates.push.services.mozilla.com",
            "*.notify.windows.com",
            "*.push.apple.com",
        ]
    )
