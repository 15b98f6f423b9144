from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from api.framework.idempotency import takes_key, turn
from api.framework.parsers import BoundedJSONParser
from api.framework.request_validation import asked, queried
from api.framework.viewsets import Resource
from api.v1.messages import changing, stored_messages
from api.v1.messages import serializers as fields
from api.v1.messages.new_message import said_in
from api.v1.messages.octets import OctetsRenderer
from api.v1.messages.sending import Letter, Sent, send
from engine.registry.known_senders import known_senders
from engine.registry.models import Mailbox
from engine.registry.scopes import Scope
from engine.storage import addressees
from engine.storage.models import Folder, Message
from engine.storage.search import find, indexer
from engine.storage.search.query_parser import QueryError, parse

FILE = OpenApiResponse(OpenApiTypes.BINARY, description="The octets.")
WITH_FILES = {
    "type": "object",
    "required": ["message"],
    "properties": {
        "message": {"$ref": "#/components/schemas/NewMessageRequest"},
        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
    },
}


class Messages(Resource):
    """Mail in the mailboxes of the key's organisation. The community's key opens none.

    A new key opens group mailboxes and its maker's own; the others when a second
    administrator, or the helpdesk, has agreed. That a key sent, read, changed or deleted a message is in the audit trail.
    """

    serializer_class = fields.MessageSerializer
    pagination_class = None
    parser_classes = [BoundedJSONParser, MultiPartParser]
    largest_body = 80 * 1024 * 1024
    scopes = {
        "list": Scope.READ_MESSAGES,
        "retrieve": Scope.READ_MESSAGES,
        "raw": Scope.READ_MESSAGES,
        "attachment": Scope.READ_MESSAGES,
        "create": Scope.WRITE_MESSAGES,
        "partial_update": Scope.WRITE_MESSAGES,
        "destroy": Scope.WRITE_MESSAGES,
    }

    def get_queryset(self) -> QuerySet[Message]:
        rows = Message.objects.select_related("mailbox", "folder", "content")
        return rows.filter(mailbox__in=self.caller.mailboxes(), is_draft=False)

    @extend_schema(
        operation_id="messages_list",
        summary="List messages, or search them",
        parameters=[fields.MessageQuestion],
        responses=fields.MessagesSerializer,
    )
    def list(self, request: Request) -> Response:
        """The newest first."""
        said = queried(request, fields.MessageQuestion)
        mailbox = get_object_or_404(self.caller.mailboxes(), pk=said["mailbox"])
        rows, is_more = self._found(mailbox, said)
        shown = {"results": rows, "next": rows[-1].pk if is_more else None}
        context = _people(rows)
        return Response(fields.MessagesSerializer(shown, context=context).data)

    def _found(
        self, mailbox: Mailbox, said: dict[str, Any]
    ) -> tuple[Sequence[Message], bool]:
        before, limit = said.get("before"), said["limit"]
        if "q" in said:
            indexer.catch_up(mailbox)
            try:
                found = find.find(parse(said["q"]), mailbox, before=before, limit=limit)
            except QueryError as error:
                raise ValidationError({"q": [str(error)]}) from error
            return found.messages, found.has_older
        rows = Message.objects.filter(
            mailbox=mailbox, folder__role=said["folder"], is_draft=False
        )
        if before is not None:
            rows = rows.filter(pk__lt=before)
        shown = [*rows.order_by("-pk")[: limit + 1]]
        return shown[:limit], len(shown) > limit

    @extend_schema(summary="Read a message", responses=fields.OpenedSerializer)
    def retrieve(self, request: Request, pk: int) -> Response:
        """It stays as it was, read or unread."""
        message = self.get_object()
        inside = stored_messages.opened(message, by=self.caller.key)
        for name in ("to", "cc", "text", "html", "attachments"):
            setattr(message, name, getattr(inside, name))
        context = _people([message])
        return Response(fields.OpenedSerializer(message, context=context).data)

    @extend_schema(
        summary="Read a message as it came",
        responses={(200, "message/rfc822"): FILE},
    )
    @action(detail=True, renderer_classes=[OctetsRenderer])
    def raw(self, request: Request, pk: int) -> Response:
        octets = stored_messages.raw(self.get_object(), by=self.caller.key)
        return Response(octets, content_type="message/rfc822")

    @extend_schema(
        summary="Fetch a file of a message",
        responses={(200, "application/octet-stream"): FILE},
    )
    @action(
        detail=True,
        url_path="attachments/<str:path>",
        renderer_classes=[OctetsRenderer],
    )
    def attachment(self, request: Request, pk: int, path: str) -> Response:
        part = stored_messages.attachment(self.get_object(), path, by=self.caller.key)
        name = quote(part.filename or "file", safe="")
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        return Response(
            part.data(), headers=headers, content_type="application/octet-stream"
        )

    @extend_schema(
        summary="Send a message",
        request={
            "application/json": fields.NewMessage,
            "multipart/form-data": WITH_FILES,
        },
        responses={status.HTTP_202_ACCEPTED: fields.SentSerializer},
    )
    @takes_key
    def create(self, request: Request) -> Response:
        """From any mailbox of the organisation. 202 means kept: it is ours to deliver
        or to report.
        """
        with turn(request) as mine:
            if mine.answer is not None:
                return mine.answer
            said = said_in(request)
            sender = get_object_or_404(self.caller.mailboxes(), pk=said.pop("mailbox"))
            sent = send(
                Letter(**said),
                sender=sender,
                once=mine.name,
                keep=lambda done: mine.keep(_accepted(done)),
                by=self.caller.key,
            )
        return _accepted(sent)

    @extend_schema(summary="Mark or move a message", request=fields.MessageChanges)
    def partial_update(self, request: Request, pk: int) -> Response:
        message, changes = self.get_object(), asked(request, fields.MessageChanges)
        folder = changes.pop("folder", None)
        target = None if folder is None else self._target(message, folder)
        changing.change(message, target=target, by=self.caller.key, **changes)
        message = self.get_object()
        context = _people([message])
        return Response(fields.MessageSerializer(message, context=context).data)

    def _target(self, message: Message, folder_id: int) -> Folder:
        folder = get_object_or_404(message.mailbox.folders, pk=folder_id)
        if not folder.takes_messages:
            raise ValidationError({"folder": ["Nothing is moved there by hand."]})
        return folder

    @extend_schema(summary="Delete a message")
    def destroy(self, request: Request, pk: int) -> Response:
        """Moves it to Deleted; from there it goes for good."""
        changing.delete(self.get_object(), by=self.caller.key)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _people(messages: Sequence[Message]) -> dict[str, Any]:
    """What the registry says of the senders, and who the messages are addressed to."""
    return {
        "known": known_senders(message.from_address for message in messages),
        "recipients": addressees.of_messages(messages, shown=addressees.COUNTED),
    }


def _accepted(sent: Sent) -> Response:
    return Response(asdict(sent), status.HTTP_202_ACCEPTED)
