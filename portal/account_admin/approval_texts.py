"""What awaits a second person's approval, the possible answers, and their wording."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """A kind of change that awaits approval. The values appear in URLs."""

    ADDRESS = "address"
    FACTOR = "factor"
    MAIL = "mail"
    KEY = "key"


class Answer(StrEnum):
    """An answer that a second person may give. The values appear in URLs."""

    AGREE = "agree"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class ApprovalTexts:
    """The wording of the page that asks before an answer counts."""

    title: str
    text: str
    button: str
    done: str


# A kind without an entry for an answer does not take it: a shut mailbox is opened or
# waits, there is nothing to stop.
TEXTS = {
    (Kind.ADDRESS, Answer.AGREE): ApprovalTexts(
        "Agree to the new everyday address of {name}",
        "Links that open the account go to {new} from now on. Speak to {name} first, "
        "on a number that you already knew.",
        "Agree",
        "The everyday address of {name} has been changed.",
    ),
    (Kind.ADDRESS, Answer.STOP): ApprovalTexts(
        "Stop the change of address of {name}",
        "Links continue to go to the address that the account has now.",
        "Stop the change",
        "The address of {name} was not changed.",
    ),
    (Kind.FACTOR, Answer.AGREE): ApprovalTexts(
        "Agree to reset the second factor of {name}",
        "Their authenticator apps, passkeys and recovery codes stop working. Speak to "
        "{name} first, on a number that you already knew.",
        "Reset the second factor",
        "The second factor of {name} has been reset.",
    ),
    (Kind.FACTOR, Answer.STOP): ApprovalTexts(
        "Refuse to reset the second factor of {name}",
        "The second factor continues to work.",
        "Refuse",
        "The second factor of {name} was not reset.",
    ),
    (Kind.MAIL, Answer.AGREE): ApprovalTexts(
        "Unlock the mailbox of {name}",
        "{what}. Another person helped {name} to get back into the account. Speak to "
        "{name} first, on a number that you already knew.",
        "Unlock the mailbox",
        "The mailbox of {name} is unlocked.",
    ),
    (Kind.KEY, Answer.AGREE): ApprovalTexts(
        "Let {name} open people's own mailboxes",
        "The key can then read or send in every mailbox of {organisation}. Each message "
        "that it reads is recorded in the history.",
        "Agree",
        "{name} can open every mailbox of the organisation.",
    ),
    (Kind.KEY, Answer.STOP): ApprovalTexts(
        "Revoke {name}",
        "The system that uses this key stops working immediately.",
        "Revoke",
        "{name} is revoked.",
    ),
}
