"""The check of a message before it is sent: what webmail shows its users, as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.auth.caller import Caller
from api.sandbox import outcomes
from api.v1.messages import stored_messages
from api.v1.messages.sending import Letter
from engine.mail.address import Address
from engine.queue.preflight import checks
from engine.queue.preflight.checks import Question
from engine.queue.preflight.findings import Code, Finding
from engine.registry.models import Mailbox
from engine.registry.scopes import Scope


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


def check(letter: Letter, *, sender: Mailbox, by: Caller) -> Preflight:
    """Checks a letter as the sender's webmail would.

    Looks into the mailbox, and records that it was opened, only where the caller may read.
    A test key reads nothing, and its magic recipients are not looked for.
    """
    reads = by.has(Scope.READ_MESSAGES) and not by.is_test
    if reads:
        stored_messages.note_opening(sender, by=by.key)
    question = Question(
        mailbox=sender,
        sender=letter.sender or Address.parse(sender.address),
        viewer=by.key,
        recipients=outcomes.real_ones(letter.recipients)
        if by.is_test
        else letter.recipients,
        subject=letter.subject,
        text=letter.text,
        in_reply_to=letter.in_reply_to,
        answered_in=sender if reads else None,
        reads_mailbox=reads,
        files=letter.attachments,
    )
    return Preflight(checks.check(question))
