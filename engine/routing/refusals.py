"""Why mail to an address is refused: each reason has its SMTP reply and its sentence."""

from __future__ import annotations

from engine.mail import smtp_replies
from engine.mail.address import Address
from engine.mail.errors import PermanentFailure


class UnknownRecipientError(PermanentFailure):
    """No person, mailbox, alias, list or server here has the address (550 5.1.1)."""

    def __init__(self, address: Address) -> None:
        super().__init__(
            smtp_replies.UNKNOWN_RECIPIENT.saying(
                f"<{address}> is not an address in this community; "
                "check the spelling or look the person up in the directory"
            )
        )


class SuspendedRecipientError(PermanentFailure):
    """The address is suspended (550 5.2.1); mail already accepted for it is held."""

    def __init__(self, address: Address, who: str) -> None:
        super().__init__(
            smtp_replies.RECIPIENT_SUSPENDED.saying(
                f"<{address}> cannot receive mail at present because {who}; "
                "reach them another way or ask the helpdesk"
            )
        )


class ClosedRecipientError(PermanentFailure):
    """The organisation has left (550 5.2.1); mail already accepted for it is returned."""

    def __init__(self, address: Address, organisation_name: str) -> None:
        super().__init__(
            smtp_replies.RECIPIENT_SUSPENDED.saying(
                f"<{address}> cannot receive mail because {organisation_name} "
                "has left this community; reach them another way"
            )
        )


class LoopError(PermanentFailure):
    """Aliases lead to one another in a loop, or through too many hops (554 5.4.6)."""

    def __init__(self, address: Address) -> None:
        super().__init__(
            smtp_replies.LOOP.saying(
                f"The aliases of <{address}> lead back to themselves; "
                "ask the helpdesk to put them right"
            )
        )
