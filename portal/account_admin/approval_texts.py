"""What a second person is asked, and what the pages say of each answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What waits."""

    ADDRESS = "address"
    FACTOR = "factor"
    MAIL = "mail"
    KEY = "key"


class Act(StrEnum):
    """What a second person may answer."""

    AGREE = "agree"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Words:
    """What the page says that asks before it is done."""

    title: str
    text: str
    button: str
    done: str


WORDS = {
    (Kind.ADDRESS, Act.AGREE): Words(
        "Agree to another everyday address for {name}",
        "Links that open the account go to {new} from now on. Speak to {name} first, "
        "on a number that you knew before.",
        "Agree",
        "The new address of {name} is in force.",
    ),
    (Kind.ADDRESS, Act.STOP): Words(
        "Stop the change of address of {name}",
        "Links go on going to the address that the account has now.",
        "Stop the change",
        "The address of {name} stays as it is.",
    ),
    (Kind.FACTOR, Act.AGREE): Words(
        "Agree to reset the second factor of {name}",
        "Their authenticator apps, passkeys and recovery codes stop working. Speak to "
        "{name} first, on a number that you knew before.",
        "Reset the second factor",
        "The second factor of {name} has been reset.",
    ),
    (Kind.FACTOR, Act.STOP): Words(
        "Refuse to reset the second factor of {name}",
        "The second factor goes on working.",
        "Refuse",
        "The second factor of {name} stays.",
    ),
    (Kind.MAIL, Act.AGREE): Words(
        "Open the mailbox of {name}",
        "{what}. Others than {name} had a hand in this way back in. Speak to {name} "
        "first, on a number that you knew before.",
        "Open the mailbox",
        "The mailbox of {name} is open.",
    ),
    (Kind.KEY, Act.AGREE): Words(
        "Let {name} open people's own mailboxes",
        "The key then reads or sends in every mailbox of {organisation}. Each message "
        "that it reads is in the history.",
        "Agree",
        "{name} opens every mailbox of the organisation.",
    ),
    (Kind.KEY, Act.STOP): Words(
        "Revoke {name}",
        "The system that uses this key stops working at once.",
        "Revoke",
        "{name} opens nothing any more.",
    ),
}
