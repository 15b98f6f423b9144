"""How a message is marked: its importance, its classification, a receipt asked for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings

from engine.mail.address import Address
from engine.mail.header import HeaderBlock
from engine.registry.models import Organisation

CLASSIFICATION_FIELD = "X-Classification"
RECEIPT_FIELD = "Disposition-Notification-To"  # RFC 8098 §2.1


class Importance(StrEnum):
    """How important the sender says that it is (RFC 4021 §2.1.54)."""

    NORMAL = ""
    HIGH = "high"
    LOW = "low"


# What older programs read instead of Importance.
_PRIORITIES = {Importance.HIGH: "1 (Highest)", Importance.LOW: "5 (Lowest)"}


@dataclass(frozen=True, slots=True)
class Options:
    """The marks of one message. `classification` is one of the community's, or empty."""

    importance: Importance = Importance.NORMAL
    classification: str = ""
    wants_receipt: bool = False

    def headers(self, sender: Address) -> dict[str, str]:
        """Returns the header fields that carry the marks."""
        found = {}
        if self.importance:
            found["Importance"] = self.importance.value
            found["X-Priority"] = _PRIORITIES[self.importance]
        if self.classification:
            found[CLASSIFICATION_FIELD] = self.classification
        if self.wants_receipt:
            found[RECEIPT_FIELD] = str(sender)
        return found

    @property
    def are_set(self) -> bool:
        """True if anything differs from an ordinary message."""
        return self != NO_OPTIONS


NO_OPTIONS = Options()


def classifications() -> list[str]:
    """Returns the community's classifications, in its order; empty if it uses none."""
    return list(settings.POSTERN.classifications)


def needs_classification(organisation: Organisation) -> bool:
    """True if each message from that organisation must be classified.

    The community may require it of everybody, or an organisation of its own people.
    """
    required = settings.POSTERN.classification_required
    return bool(classifications()) and (
        required or organisation.requires_classification
    )


def classification_in(header: HeaderBlock) -> str:
    """Returns a message's classification, if it is one of the community's."""
    marked = header.text(CLASSIFICATION_FIELD).strip()
    return marked if marked in classifications() else ""


def importance_in(header: HeaderBlock) -> Importance:
    """Returns the importance that a message claims."""
    claimed = header.text("Importance").strip().lower()
    return Importance(claimed) if claimed in ("high", "low") else Importance.NORMAL


def options_in(header: HeaderBlock) -> Options:
    """Returns the marks of a stored message."""
    return Options(
        importance=importance_in(header),
        classification=classification_in(header),
        wants_receipt=bool(header.text(RECEIPT_FIELD).strip()),
    )


def tagged(subject: str, classification: str) -> str:
    """Returns the subject with the classification in front, where the community says so."""
    tag = f"[{classification}]"
    is_tagged = settings.POSTERN.classification_in_subject
    if not classification or not is_tagged or tag in subject:
        return subject
    return f"{tag} {_without_tags(subject)}".strip()


def _without_tags(subject: str) -> str:
    """Removes the community's other tags, as after a change of classification."""
    for name in classifications():
        subject = subject.replace(f"[{name}] ", "").replace(f"[{name}]", "")
    return subject
