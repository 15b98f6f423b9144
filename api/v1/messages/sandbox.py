"""What the operations on messages answer to test keys, from the sandbox."""

from __future__ import annotations

import dataclasses

from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from api.framework.downloads import file_response
from api.framework.pagination import place_of
from api.framework.request_validation import validated_query
from api.framework.viewsets import Resource
from api.models import SandboxCopy
from api.sandbox import reading
from api.v1.messages import serializers, stored_messages
from api.v1.messages.traces import TraceSerializer, sandbox_trace
from engine.registry.addresses.known_senders import known_senders
from engine.storage.models import Message


def list_messages(view: Resource, request: Request) -> Response:
    """Lists the sandbox messages of one mailbox; a search finds nothing there."""
    query, place = (
        validated_query(request, serializers.MessageSearch),
        place_of(request),
    )
    mailboxes = view.caller.sandbox_mailboxes()
    mailbox = get_object_or_404(mailboxes, pk=query["mailbox"])
    rows, goes_on = reading.page(
        mailbox,
        query,
        before=None if place.is_backwards else place.row,
        after=place.row if place.is_backwards else None,
    )
    messages = reading.as_messages(rows)
    shown = {
        "results": messages,
        **place.links(request, [row.pk for row in rows], goes_on=goes_on),
        "search": None,
    }
    context = _context(messages, rows)
    return Response(serializers.MessagesSerializer(shown, context=context).data)


def retrieve(view: Resource, request: Request, pk: int) -> Response:
    """Returns text, recipients and attachments of one."""
    query = validated_query(request, serializers.TextPage)
    copy = reading.copy_of(view.caller, pk)
    [message] = messages = reading.as_messages([copy])
    parsed = stored_messages.parsed(*reading.content_of(copy), query["text_from"])
    for found in dataclasses.fields(parsed):
        setattr(message, found.name, getattr(parsed, found.name))
    context = _context(messages, [copy])
    return Response(serializers.OpenedSerializer(message, context=context).data)


def raw_bytes(view: Resource, pk: int) -> bytes:
    """Returns the whole message. Raises Http404."""
    return bytes(reading.copy_of(view.caller, pk).message.raw)


def attachment(view: Resource, request: Request, pk: int, path: str) -> Response:
    """Returns one part of a message."""
    name, part = reading.part_of(reading.copy_of(view.caller, pk), path)
    return file_response(name, part.data())


def delivery(view: Resource, request: Request, pk: int) -> Response:
    """Returns what is pretended for each recipient of a message in Sent."""
    rows = reading.copies(view.caller).filter(is_sent=True)
    message = get_object_or_404(rows, pk=pk).message
    shown = sandbox_trace(message.reference, reading.steps_of(message))
    return Response(TraceSerializer(shown).data)


def _context(messages: list[Message], rows: list[SandboxCopy]) -> dict[str, object]:
    return {
        "known": known_senders(message.from_address for message in messages),
        "recipients": reading.addressees_of(rows),
        "labels": {},
    }
