"""The fields of messages, as they are asked for and as they are shown."""

from __future__ import annotations

from binascii import Error, a2b_base64
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty

from api.framework.request_validation import Asked, IdField
from engine.mail import lookalike
from engine.mail.address import Address, InvalidAddressError
from engine.mail.composer import Attachment
from engine.registry.known_senders import KnownSender
from engine.storage import addressees
from engine.storage.addressees import Addressees
from engine.storage.models import Folder, FolderRole, Message
from engine.trace.models import EventKind

MOST_RECIPIENTS = 500
MOST_FILES = 100


@extend_schema_field({"type": "string", "format": "email", "maxLength": 254})
class AddressField(serializers.CharField):
    """An address such as jane@court.example."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=254, **kwargs)

    def run_validation(self, data: Any = empty) -> Any:
        text = super().run_validation(data)
        try:
            return Address.parse(text)
        except InvalidAddressError as error:
            raise serializers.ValidationError(f"Not an address: {error}.") from error


class AddressesField(serializers.ListField):
    child = AddressField()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MOST_RECIPIENTS, **kwargs)


@extend_schema_field(
    {
        "type": "string",
        "contentEncoding": "base64",
        "pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
    }
)
class Base64Field(serializers.CharField):
    """Octets, written in letters."""

    def run_validation(self, data: Any = empty) -> Any:
        text = super().run_validation(data)
        try:
            return a2b_base64(text, strict_mode=True)
        except (Error, ValueError) as error:
            raise serializers.ValidationError("Not base64.") from error


class NewFile(Asked):
    name = serializers.CharField(max_length=200)
    content_type = serializers.RegexField(
        r"^[\w.+-]{1,80}/[\w.+-]{1,80}\Z",
        default="application/octet-stream",
    )
    content = Base64Field(
        allow_blank=True, trim_whitespace=False, help_text="In base64 (RFC 4648 §4)."
    )

    def to_internal_value(self, data: Any) -> Any:
        said = super().to_internal_value(data)
        return Attachment(said["name"], said["content_type"], said["content"])


class NewMessage(Asked):
    mailbox = IdField(help_text="The mailbox that it is sent from.")
    to = AddressesField(min_length=1)
    cc = AddressesField(default=list)
    bcc = AddressesField(default=list)
    subject = serializers.CharField(max_length=300, allow_blank=True)
    text = serializers.CharField(allow_blank=True, trim_whitespace=False)
    html = serializers.CharField(required=False, allow_null=True, trim_whitespace=False)
    attachments = serializers.ListField(
        child=NewFile(), max_length=MOST_FILES, default=list
    )
    in_reply_to = serializers.CharField(
        max_length=300,
        default="",
        allow_blank=True,
        help_text="The Message-ID of what it answers.",
    )


class SentSerializer(serializers.Serializer[Any]):
    reference = serializers.CharField(help_text="By which its delivery is traced.")
    id = serializers.IntegerField(
        allow_null=True, help_text="Of the copy in Sent, while it is there."
    )


class MessageChanges(Asked):
    is_read = serializers.BooleanField(required=False)
    is_flagged = serializers.BooleanField(required=False)
    folder = IdField(required=False, help_text="Of the same mailbox.")


class MessageQuestion(Asked):
    mailbox = IdField()
    folder = serializers.ChoiceField(
        choices=[one for one in FolderRole.choices if one[0] != FolderRole.CUSTOM],
        default=FolderRole.INBOX,
        help_text="Where to look. A search looks everywhere unless it says `in:`.",
    )
    q = serializers.CharField(
        max_length=200,
        required=False,
        help_text="A search as in webmail: words, from:, subject:, has:attachment.",
    )
    before = IdField(required=False, help_text="`next` of another page.")
    limit = serializers.IntegerField(min_value=1, max_value=200, default=50)


class FolderSerializer(serializers.ModelSerializer[Folder]):
    class Meta:
        model = Folder
        fields = read_only_fields = ["id", "role", "name"]


class MessageSerializer(serializers.ModelSerializer[Message]):
    """`known` in the context: what the registry says of the senders' addresses.

    `recipients`: who each message is addressed to, by its id.
    """

    from_name = serializers.SerializerMethodField(
        help_text="As the sender calls themselves: anybody may choose any name. Show "
        "it only beside `from_address` or `from_organisation`."
    )
    from_organisation = serializers.SerializerMethodField(
        help_text="Whose `from_address` is, as it was verified; empty for nobody's."
    )
    from_directory_name = serializers.SerializerMethodField(
        help_text="What the directory calls `from_address`; empty where it is not there."
    )

    to_summary = serializers.CharField(
        read_only=True,
        help_text="The names in To, as somebody typed them: show them only beside "
        "`to_addresses`.",
    )
    to_addresses = serializers.SerializerMethodField(
        help_text=f"Of the first recipients, {addressees.COUNTED} at most. A message that "
        "is opened has all of them in `to` and `cc`."
    )

    @extend_schema_field(OpenApiTypes.STR)
    def get_from_name(self, message: Message) -> str:
        return lookalike.shown(message.from_name)

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
            "size",
            "has_attachments",
            "is_read",
            "is_flagged",
            "is_answered",
        ]


class MessagesSerializer(serializers.Serializer[Any]):
    results = MessageSerializer(many=True)
    next = serializers.IntegerField(allow_null=True)


class FileSerializer(serializers.Serializer[Any]):
    path = serializers.CharField(help_text="Its number, to fetch it by.")
    name = serializers.CharField(source="filename", allow_blank=True)
    content_type = serializers.CharField()


class OpenedSerializer(MessageSerializer):
    to = serializers.ListField(child=serializers.CharField(), read_only=True)
    cc = serializers.ListField(child=serializers.CharField(), read_only=True)
    text = serializers.CharField(read_only=True)
    html = serializers.CharField(
        read_only=True, help_text="As its sender wrote it: make it safe yourself."
    )
    attachments = FileSerializer(many=True, read_only=True)

    class Meta(MessageSerializer.Meta):
        fields = read_only_fields = [
            *MessageSerializer.Meta.fields,
            "to",
            "cc",
            "text",
            "html",
            "attachments",
        ]


class StepSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=EventKind.choices)
    recipient = serializers.CharField(allow_blank=True)
    reply = serializers.CharField(
        allow_blank=True, help_text="What the next server said, or why."
    )
    times = serializers.IntegerField(
        help_text="How often: a deferral that repeats itself is one step."
    )
    last_at = serializers.DateTimeField(
        allow_null=True, help_text="When it happened last, where more than once."
    )


class TraceSerializer(serializers.Serializer[Any]):
    reference = serializers.CharField()
    sender = serializers.CharField(allow_blank=True)
    steps = StepSerializer(many=True)
