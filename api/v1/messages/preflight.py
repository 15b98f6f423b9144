"""The check of a message before it is sent: what webmail shows its users, as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.v1.messages.sending import Letter
from engine.mail.address import Address
from engine.queue.preflight import checks
from engine.queue.preflight.checks import Question
from engine.queue.preflight.findings import Code, Finding
from engine.registry.models import ApiKey, Mailbox


@dataclass(frozen=True, slots=True)
class Preflight:
    """What was found; `can_be_sent` is False where sending would be refused."""

    findings: list[Finding]

    @property
    def can_be_sent(self) -> bool:
        """True unless a finding blocks."""
        return not any(one.blocks for one in self.findings)


class FindingSerializer(serializers.Serializer[Any]):
    """One thing to look at before sending."""

    code = serializers.ChoiceField(choices=[(one.value, one.value) for one in Code])
    sentence = serializers.CharField()
    advice = serializers.CharField(help_text="How it is mended.")
    address = serializers.SerializerMethodField(
        help_text="The recipient that it is about; null where it is about the message."
    )
    others = serializers.SerializerMethodField(
        help_text="Addresses of people of the same name."
    )
    blocks = serializers.BooleanField(help_text="True where sending would be refused.")

    @extend_schema_field({"type": ["string", "null"]})
    def get_address(self, finding: Finding) -> str | None:
        return str(finding.address) if finding.address else None

    @extend_schema_field({"type": "array", "items": {"type": "string"}})
    def get_others(self, finding: Finding) -> list[str]:
        return [address for _, address in finding.others]


class PreflightSerializer(serializers.Serializer[Any]):
    """The outcome of a check before sending."""

    can_be_sent = serializers.BooleanField()
    findings = FindingSerializer(many=True)


def check(letter: Letter, *, sender: Mailbox, by: ApiKey) -> Preflight:
    """Checks a letter as the sender's webmail would."""
    question = Question(
        mailbox=sender,
        sender=letter.sender or Address.parse(sender.address),
        viewer=by,
        recipients=letter.recipients,
        subject=letter.subject,
        text=letter.text,
        in_reply_to=letter.in_reply_to,
        files=letter.attachments,
    )
    return Preflight(checks.check(question))
