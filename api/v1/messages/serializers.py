"""Serializers for searching, showing and changing stored messages."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.framework.pagination import PageSerializer
from api.framework.request_validation import IdField, RequestSerializer
from engine.mail import lookalike
from engine.mail.reading.items import Kind
from engine.queue.recall import MAX_REASON
from engine.registry.addresses.known_senders import KnownSender
from engine.storage import addressees
from engine.storage.addressees import Addressees
from engine.storage.models import Folder, FolderRole, GapReason, Message

# Messages not searched whole that the answer to a search names.
GAPS_LISTED = 100
# Folders that a role does not find: many have the first, and few mailboxes the second.
NOT_NAMED = (FolderRole.CUSTOM, FolderRole.SNOOZED)


class MessageChanges(RequestSerializer):
    """What a client may change of a stored message."""

    is_read = serializers.BooleanField(required=False)
    is_flagged = serializers.BooleanField(required=False)
    folder = IdField(required=False, help_text="A folder of the same mailbox.")


class RecallSerializer(RequestSerializer):
    """Why a message is recalled."""

    reason = serializers.CharField(
        max_length=MAX_REASON,
        required=False,
        allow_blank=True,
        default="",
        help_text="The recipients read it, with the sender's name and the time.",
    )


class MessageSearch(RequestSerializer):
    """The query parameters for listing or searching messages."""

    mailbox = IdField()
    folder = serializers.ChoiceField(
        choices=[one for one in FolderRole.choices if one[0] not in NOT_NAMED],
        default=FolderRole.INBOX,
        help_text="The folder to list. A search covers all folders unless `q` has `in:`.",
    )
    q = serializers.CharField(
        max_length=200,
        required=False,
        help_text="A search as in webmail: words, from:, subject:, has:attachment.",
    )
    reference = serializers.CharField(
        max_length=32,
        required=False,
        help_text="Lists the messages with this reference, in all folders of the mailbox. "
        "Not together with `q`.",
    )
    cursor = serializers.CharField(
        required=False, help_text="From `next` or `previous` of another page."
    )
    limit = serializers.IntegerField(min_value=1, max_value=200, default=50)


class FolderSerializer(serializers.ModelSerializer[Folder]):
    """A folder of a mailbox."""

    class Meta:
        model = Folder
        fields = read_only_fields = ["id", "role", "name"]


class MessageSerializer(serializers.ModelSerializer[Message]):
    """A message in a list.

    The context needs `known` (what the registry says of sender addresses, by address) and
    `recipients` and `labels` (the first addressees and the labels of each message, by its
    id): each is looked up once for a whole page.
    """

    from_name = serializers.SerializerMethodField(
        help_text="The display name, which senders choose freely. Show it only beside "
        "`from_address` or `from_organisation`."
    )
    from_organisation = serializers.SerializerMethodField(
        help_text="The verified organisation of `from_address`; empty where it belongs "
        "to none."
    )
    from_directory_name = serializers.SerializerMethodField(
        help_text="The name of `from_address` in the directory; empty where it is not "
        "listed."
    )

    to_summary = serializers.CharField(
        read_only=True,
        help_text="The display names in To, which the sender typed: show them only "
        "beside `to_addresses`.",
    )
    to_addresses = serializers.SerializerMethodField(
        help_text=f"The first recipients, {addressees.COUNTED} at most. Read one message "
        "to get all of them in `to` and `cc`."
    )
    labels = serializers.SerializerMethodField(
        help_text="The names of its labels, which webmail gives."
    )
    reference = serializers.CharField(
        read_only=True,
        help_text="The reference of traces, webhooks and replies to servers; empty for "
        "mail stored before references were kept.",
    )

    @extend_schema_field(OpenApiTypes.STR)
    def get_from_name(self, message: Message) -> str:
        return lookalike.displayable(message.from_name)

    @extend_schema_field(OpenApiTypes.STR)
    def get_from_organisation(self, message: Message) -> str:
        return self._known(message).organisation

    @extend_schema_field(OpenApiTypes.STR)
    def get_from_directory_name(self, message: Message) -> str:
        return self._known(message).name

    @extend_schema_field({"type": "array", "items": {"type": "string"}})
    def get_to_addresses(self, message: Message) -> list[str]:
        found: dict[int, Addressees] = self.context["recipients"]
        first = found[message.pk].first if message.pk in found else ()
        return [str(named.address) for named in first]

    @extend_schema_field({"type": "array", "items": {"type": "string"}})
    def get_labels(self, message: Message) -> list[str]:
        found: dict[int, list[str]] = self.context["labels"]
        return found.get(message.pk, [])

    def _known(self, message: Message) -> KnownSender:
        known: dict[str, KnownSender] = self.context["known"]
        return known.get(message.from_address, KnownSender())

    class Meta:
        model = Message
        fields = read_only_fields = [
            "id",
            "mailbox",
            "folder",
            "received_at",
            "from_name",
            "from_address",
            "from_organisation",
            "from_directory_name",
            "to_summary",
            "to_addresses",
            "subject",
            "message_id",
            "reference",
            "size",
            "has_attachments",
            "is_read",
            "is_flagged",
            "is_answered",
            "labels",
        ]


class NotWholeSerializer(serializers.Serializer[Any]):
    """A message that a search does not find by all of its words."""

    message = serializers.IntegerField(source="message.pk")
    reason = serializers.ChoiceField(choices=GapReason.choices)
    explanation = serializers.CharField()


class CoverageSerializer(serializers.Serializer[Any]):
    """What a search of the mailbox leaves out."""

    waiting = serializers.IntegerField(
        help_text="Messages that are not indexed yet. Search again in a few minutes."
    )
    not_whole_count = serializers.IntegerField(
        help_text="Messages that are found by some of their words only."
    )
    not_whole = NotWholeSerializer(
        many=True, help_text=f"The newest of them, at most {GAPS_LISTED}."
    )


class MessagesSerializer(PageSerializer):
    """One page of messages."""

    results = MessageSerializer(many=True)
    search = CoverageSerializer(
        allow_null=True,
        help_text="On the first page of a search; null on the others, and without `q`.",
    )


class PartSerializer(serializers.Serializer[Any]):
    """A part of a message, without its content."""

    path = serializers.CharField(help_text="The part number to download it by.")
    kind = serializers.ChoiceField(
        choices=[kind.value for kind in Kind],
        help_text="`text` and `html` are the message's own words; the rest are files.",
    )
    name = serializers.CharField(source="filename")
    content_type = serializers.CharField()
    content_id = serializers.CharField(
        allow_blank=True,
        help_text="Of a picture that the HTML embeds by a cid: URL (RFC 2392).",
    )
    alternative_to = serializers.CharField(
        allow_blank=True,
        help_text="The path of the part whose words this one holds in another form "
        "(RFC 2046 §5.1.4).",
    )


class TextPage(RequestSerializer):
    """The query for one page of a long text."""

    text_from = serializers.IntegerField(
        default=0, min_value=0, help_text="`next_text` of the page before."
    )


class OpenedSerializer(MessageSerializer):
    """A message with its text, recipients and attachments."""

    to = serializers.ListField(child=serializers.CharField(), read_only=True)
    cc = serializers.ListField(child=serializers.CharField(), read_only=True)
    text = serializers.CharField(
        read_only=True,
        help_text="All words of the message, in order, as plain text.",
    )
    next_text = serializers.IntegerField(
        read_only=True,
        allow_null=True,
        help_text="`text_from` of the next page of a long text; null on the last page.",
    )
    html = serializers.CharField(
        read_only=True,
        help_text="All words of a message that has HTML, in order, as the sender wrote "
        "them. Sanitise it before you show it.",
    )
    is_html_left_out = serializers.BooleanField(
        read_only=True,
        help_text="True where the HTML is too long: download its parts instead.",
    )
    parts = PartSerializer(
        many=True,
        read_only=True,
        help_text="What a reader sees, in order: words, other forms of them, and files.",
    )
    attachments = PartSerializer(
        many=True, read_only=True, help_text="The files, embedded pictures last."
    )

    class Meta(MessageSerializer.Meta):
        fields = read_only_fields = [
            *MessageSerializer.Meta.fields,
            "to",
            "cc",
            "text",
            "next_text",
            "html",
            "is_html_left_out",
            "parts",
            "attachments",
        ]
