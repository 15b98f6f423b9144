"""The operations on messages."""

from __future__ import annotations

import dataclasses
from dataclasses import asdict

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from api.framework.downloads import FILE, OCTETS, BinaryRenderer, file_response
from api.framework.idempotency import accepts_idempotency_key, claim
from api.framework.pagination import place_of
from api.framework.parsers import BoundedJSONParser
from api.framework.request_validation import validated, validated_query
from api.framework.viewsets import Resource
from api.sandbox import sending as sandbox_sending
from api.sandbox.reading import sandboxed
from api.v1.messages import (
    listing,
    page_context,
    preflight,
    sandbox,
    serializers,
    stored_messages,
)
from api.v1.messages.new_message import (
    WITH_FILES,
    NewMessage,
    SentSerializer,
    validated_message,
)
from api.v1.messages.preflight import PreflightSerializer
from api.v1.messages.sending import Letter, Sent, send
from api.v1.messages.traces import TraceSerializer, trace_of
from engine.queue import recall
from engine.queue.delivery_status import one_message
from engine.registry.models import Mailbox
from engine.registry.scopes import Scope
from engine.storage.models import Folder, Message
from engine.trace.timeline import Visibility


class Messages(Resource):
    """Messages in the mailboxes of the key's organisation.

    A new key opens group mailboxes and the mailbox of the administrator who made it; the
    others once a second administrator, or the helpdesk, has agreed. A key of the whole
    community opens none. Every message that a key sends, reads, changes or deletes is
    recorded in the audit trail.
    """

    serializer_class = serializers.MessageSerializer
    pagination_class = None
    parser_classes = [BoundedJSONParser, MultiPartParser]
    # Bytes: the largest message, in base64 inside JSON.
    largest_body = 80 * 1024 * 1024
    scopes = {
        "list": Scope.READ_MESSAGES,
        "retrieve": Scope.READ_MESSAGES,
        "delivery": Scope.READ_MESSAGES,
        "raw": Scope.READ_MESSAGES,
        "attachment": Scope.READ_MESSAGES,
        "recall": Scope.WRITE_MESSAGES,
        "create": Scope.WRITE_MESSAGES,
        "preflight": Scope.WRITE_MESSAGES,
        "partial_update": Scope.WRITE_MESSAGES,
        "destroy": Scope.WRITE_MESSAGES,
    }

    def get_parsers(self) -> list[BaseParser]:
        """Takes files where a message is sent or checked, and JSON alone elsewhere."""
        # The framework sets `action` only after it has asked for the parsers.
        method = (self.request.method or "").lower() if self.request else ""
        action = getattr(self, "action", None) or self.action_map.get(method)
        takes_files = action in ("create", "preflight")
        return super().get_parsers() if takes_files else [BoundedJSONParser()]

    def get_queryset(self) -> QuerySet[Message]:
        rows = Message.objects.select_related("mailbox", "folder", "content")
        return rows.filter(mailbox__in=self.caller.mailboxes(), is_draft=False)

    def get_object(self) -> Message:
        """Returns the message of the path, and records that its mailbox was opened."""
        message: Message = super().get_object()
        stored_messages.note_opening(message.mailbox, by=self.caller.key)
        return message

    @extend_schema(
        operation_id="messages_list",
        summary="List messages, or search them",
        parameters=[serializers.MessageSearch],
        responses=serializers.MessagesSerializer,
    )
    @sandboxed(sandbox.list_messages)
    def list(self, request: Request) -> Response:
        """Returns the newest messages first."""
        query = validated_query(request, serializers.MessageSearch)
        mailbox = stored_messages.open_mailbox(self.caller, query["mailbox"])
        place = place_of(request)
        # Once for a search: an older page holds nothing that was indexed since.
        is_first_of_search = "q" in query and place.row is None
        coverage = page_context.coverage(mailbox) if is_first_of_search else None
        rows, goes_on = listing.page(mailbox, query, place)
        shown = {
            "results": rows,
            **place.links(request, [row.pk for row in rows], goes_on=goes_on),
            "search": coverage,
        }
        context = page_context.correspondents(rows)
        return Response(serializers.MessagesSerializer(shown, context=context).data)

    @extend_schema(
        summary="Read a message",
        parameters=[serializers.TextPage],
        responses=serializers.OpenedSerializer,
    )
    @sandboxed(sandbox.retrieve)
    def retrieve(self, request: Request, pk: int) -> Response:
        """Returns text, recipients and attachments; the message stays read or unread."""
        query = validated_query(request, serializers.TextPage)
        message = self.get_object()
        parsed = stored_messages.read_parsed(
            message, query["text_from"], by=self.caller.key
        )
        for found in dataclasses.fields(parsed):
            setattr(message, found.name, getattr(parsed, found.name))
        context = page_context.correspondents([message])
        return Response(serializers.OpenedSerializer(message, context=context).data)

    @extend_schema(summary="Follow a message that was sent", responses=TraceSerializer)
    @action(detail=True)
    @sandboxed(sandbox.delivery)
    def delivery(self, request: Request, pk: int) -> Response:
        """Returns what became of a message in Sent, for each recipient, as its author
        sees it. 404 for messages that the mailbox did not send.
        """
        return self._delivery(self.get_object())

    def _delivery(self, message: Message) -> Response:
        delivery = one_message.of_sent_copy(message)
        if delivery is None:
            raise Http404
        steps = one_message.author_events(message.reference)
        shown = trace_of(message.reference, steps, delivery, Visibility.MEMBER)
        return Response(TraceSerializer(shown).data)

    @extend_schema(
        operation_id="messages_recall",
        summary="Recall a message that was sent",
        request=serializers.RecallSerializer,
        responses=TraceSerializer,
    )
    @action(detail=True, methods=["post"])
    def recall(self, request: Request, pk: int) -> Response:
        """Takes a message in Sent out of each mailbox here where it was neither opened,
        fetched nor forwarded, and out of the queue where it waits. Returns what became of
        it for each recipient: `recalled`, or why not. 404 for messages that the mailbox
        did not send. A repetition tries again. Long lists are finished within minutes.
        """
        message = self.get_object()
        given = validated(request, serializers.RecallSerializer)
        if one_message.of_sent_copy(message) is None:
            raise Http404
        recall.recall(message, reason=given["reason"], by=self.caller.key)
        return self._delivery(message)

    @extend_schema(
        summary="Read a message as it was received",
        # The second, with the same bytes, for clients that take no other type for bytes.
        responses={(200, "message/rfc822"): FILE, (200, OCTETS): FILE},
    )
    @action(detail=True, renderer_classes=[BinaryRenderer])
    def raw(self, request: Request, pk: int) -> Response:
        """Returns the whole message (RFC 5322), attachments included."""
        if self.caller.is_test:
            content = sandbox.raw_bytes(self, pk)
        else:
            content = stored_messages.read_raw(self.get_object(), by=self.caller.key)
        wants_octets = request.accepted_media_type == OCTETS
        return Response(
            content, content_type=OCTETS if wants_octets else "message/rfc822"
        )

    @extend_schema(
        summary="Download an attachment",
        responses={(200, OCTETS): FILE},
    )
    @action(
        detail=True,
        url_path="attachments/<str:path>",
        renderer_classes=[BinaryRenderer],
    )
    @sandboxed(sandbox.attachment)
    def attachment(self, request: Request, pk: int, path: str) -> Response:
        """Returns one attachment of a message, or any other part, by its `path`.

        Parts of an attached message have paths below it: "3.2" is in the message "3".
        """
        name, part = stored_messages.read_part(
            self.get_object(), path, by=self.caller.key
        )
        return file_response(name, part.data())

    @extend_schema(
        summary="Send a message",
        request={
            "application/json": NewMessage,
            "multipart/form-data": WITH_FILES,
        },
        responses={status.HTTP_202_ACCEPTED: SentSerializer},
    )
    @accepts_idempotency_key
    def create(self, request: Request) -> Response:
        """Sends from a mailbox that the key opens. 202 means that the message is stored:
        the service delivers it, or reports that it could not.
        """
        with claim(request) as claimed:
            if claimed.replay is not None:
                return claimed.replay
            message = validated_message(request)
            mailbox = message.pop("mailbox")
            is_test = self.caller.is_test
            sender = get_object_or_404(self._senders(), pk=mailbox)
            sent = (sandbox_sending.send if is_test else send)(
                Letter(**message),
                sender=sender,
                once=claimed.key,
                keep=lambda done: claimed.store(_accepted(done)),
                by=self.caller.key,
            )
        return _accepted(sent)

    @extend_schema(
        operation_id="messages_preflight",
        summary="Check a message before sending it",
        request={
            "application/json": NewMessage,
            "multipart/form-data": WITH_FILES,
        },
        responses=PreflightSerializer,
    )
    @action(detail=False, methods=["post"])
    def preflight(self, request: Request) -> Response:
        """Takes what sending takes, sends nothing, and returns what webmail asks its
        users to look at, with the same codes and sentences. Files are checked for their
        kind and size; they are scanned for viruses when the message is sent. Shows no
        more of members than the key may see: names need `directory:search`. What depends
        on earlier mail (`new_recipient`, `other_organisation`) needs `messages:read`, and
        is recorded as an opening of the mailbox.
        """
        message = validated_message(request)
        mailbox = message.pop("mailbox")
        sender = get_object_or_404(self._senders(), pk=mailbox)
        found = preflight.check(Letter(**message), sender=sender, by=self.caller)
        return Response(PreflightSerializer(found).data)

    def _senders(self) -> QuerySet[Mailbox]:
        caller = self.caller
        return caller.sandbox_mailboxes() if caller.is_test else caller.mailboxes()

    @extend_schema(summary="Mark or move a message", request=serializers.MessageChanges)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Changes only the properties that the request names."""
        message = self.get_object()
        changes = validated(request, serializers.MessageChanges)
        folder = changes.pop("folder", None)
        target = None if folder is None else self._target(message, folder)
        stored_messages.change(message, target=target, by=self.caller.key, **changes)
        message = self.get_object()
        context = page_context.correspondents([message])
        return Response(serializers.MessageSerializer(message, context=context).data)

    def _target(self, message: Message, folder_id: int) -> Folder:
        folder = get_object_or_404(message.mailbox.folders, pk=folder_id)
        if not folder.takes_messages:
            raise ValidationError({"folder": ["Messages cannot be moved there."]})
        return folder

    @extend_schema(summary="Delete a message")
    def destroy(self, request: Request, pk: int) -> Response:
        """Moves the message to Deleted; a message in Deleted is erased."""
        stored_messages.delete(self.get_object(), by=self.caller.key)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _accepted(sent: Sent) -> Response:
    return Response(asdict(sent), status.HTTP_202_ACCEPTED)
