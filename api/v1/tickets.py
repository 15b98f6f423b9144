"""Tickets of the helpdesk."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.framework.downloads import FILE, BinaryRenderer, file_response
from api.framework.idempotency import idempotent
from api.framework.request_validation import IdField, RequestSerializer, validated
from api.framework.viewsets import ReadResource
from engine.registry.models import Person
from engine.registry.scopes import Scope
from portal.helpdesk import attachments
from portal.helpdesk.actions import tickets
from portal.helpdesk.actions.tickets import Question
from portal.helpdesk.models import Attachment, Entry, FoldedText, Ticket
from portal.helpdesk.policies import MAX_TEXT_LENGTH
from portal.helpdesk.status import PUBLIC, Category, Priority, Source, Status


class FoldedTextSerializer(serializers.ModelSerializer[FoldedText]):
    """A text that came with an entry: a quotation, another form, an attached message."""

    class Meta:
        model = FoldedText
        fields = read_only_fields = ["kind", "title", "text"]


class TicketFileSerializer(serializers.ModelSerializer[Attachment]):
    """A file of an entry, without its content."""

    class Meta:
        model = Attachment
        fields = read_only_fields = ["id", "name", "content_type", "size"]


class TicketEntrySerializer(serializers.ModelSerializer[Entry]):
    """One public entry of a ticket."""

    folded_texts = FoldedTextSerializer(many=True, read_only=True)
    attachments = TicketFileSerializer(many=True, read_only=True)

    class Meta:
        model = Entry
        fields = read_only_fields = [
            "id",
            "kind",
            "author_name",
            "author_address",
            "text",
            "folded_texts",
            "attachments",
            "created_at",
        ]


class TicketSerializer(serializers.ModelSerializer[Ticket]):
    """A ticket, without its entries."""

    class Meta:
        model = Ticket
        fields = read_only_fields = [
            "id",
            "number",
            "subject",
            "status",
            "source",
            "category",
            "priority",
            "organisation",
            "requester",
            "requester_name",
            "requester_address",
            "created_at",
            "updated_at",
            "solved_at",
        ]


class WholeTicketSerializer(TicketSerializer):
    """A ticket with its public entries."""

    entries = TicketEntrySerializer(many=True, read_only=True)

    class Meta(TicketSerializer.Meta):
        fields = read_only_fields = [*TicketSerializer.Meta.fields, "entries"]


class TicketFilters(RequestSerializer):
    """The filters for tickets."""

    status = serializers.ChoiceField(choices=Status.choices, required=False)
    category = serializers.ChoiceField(choices=Category.choices, required=False)
    requester = IdField(required=False)


class NewTicket(RequestSerializer):
    """A ticket to open."""

    requester = IdField(help_text="The person who asks.")
    subject = serializers.CharField(max_length=200)
    text = serializers.CharField(max_length=MAX_TEXT_LENGTH)
    category = serializers.ChoiceField(choices=Category.choices, default=Category.OTHER)
    priority = serializers.ChoiceField(
        choices=Priority.choices, default=Priority.NORMAL
    )


class TicketReply(RequestSerializer):
    """A text to add to a ticket."""

    text = serializers.CharField(max_length=MAX_TEXT_LENGTH)
    status = serializers.ChoiceField(
        choices=Status.choices,
        default=Status.WAITING_FOR_REQUESTER,
        help_text="The status after the helpdesk's answer; only for the community's keys.",
    )


@extend_schema_view(
    list=extend_schema(summary="List tickets"),
    retrieve=extend_schema(summary="Read a ticket"),
)
class Tickets(ReadResource):
    """Questions to the helpdesk. A key of an organisation sees the tickets that were
    opened by API; questions that members ask themselves stay private. A key of the
    community sees all tickets.
    """

    serializer_class = TicketSerializer
    filter_serializer = TicketFilters
    scopes = {
        "list": Scope.READ_TICKETS,
        "retrieve": Scope.READ_TICKETS,
        "attachment": Scope.READ_TICKETS,
        "create": Scope.WRITE_TICKETS,
        "reply": Scope.WRITE_TICKETS,
    }

    def get_queryset(self) -> QuerySet[Ticket]:
        rows = Ticket.objects.all()
        if self.caller.organisation is not None:
            rows = rows.filter(source=Source.API)
        if self.action not in ("list", "attachment"):
            public = Entry.objects.public()
            entries = public.prefetch_related("folded_texts", "attachments")
            rows = rows.prefetch_related(Prefetch("entries", entries))
        return self.caller.visible(rows)

    def get_serializer_class(self) -> Any:
        return TicketSerializer if self.action == "list" else WholeTicketSerializer

    @extend_schema(
        summary="Ask the helpdesk",
        request=NewTicket,
        responses={status.HTTP_201_CREATED: WholeTicketSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Opens a ticket for one person, who gets its number by mail."""
        fields = validated(request, NewTicket)
        people = Person.objects.filter(organisation__isnull=False, is_active=True)
        requester = get_object_or_404(
            self.caller.visible(people), pk=fields["requester"]
        )
        question = Question(
            address=requester.address,
            name=requester.name,
            person=requester,
            subject=fields["subject"],
            text=fields["text"],
            category=Category(fields["category"]),
            priority=Priority(fields["priority"]),
        )
        made = tickets.open_ticket(question, source=Source.API, by=self.caller.key)
        return Response(self._shown(made), status.HTTP_201_CREATED)

    @extend_schema(
        summary="Add to a ticket",
        request=TicketReply,
        responses={status.HTTP_201_CREATED: WholeTicketSerializer},
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def reply(self, request: Request, pk: int) -> Response:
        """A key of an organisation adds to the question; a key of the community answers."""
        ticket, fields = self.get_object(), validated(request, TicketReply)
        if self.caller.organisation is not None:
            tickets.add_request(ticket, fields["text"], by=self.caller.key)
        else:
            tickets.answer(
                ticket,
                fields["text"],
                status=Status(fields["status"]),
                seen=ticket.entries.order_by("-pk").values_list("pk", flat=True)[0],
                by=self.caller.key,
            )
        return Response(self._shown(ticket), status.HTTP_201_CREATED)

    @extend_schema(
        summary="Download a file of a ticket",
        responses={(200, "application/octet-stream"): FILE},
    )
    @action(
        detail=True,
        url_path="attachments/<int:file_id>",
        renderer_classes=[BinaryRenderer],
    )
    def attachment(self, request: Request, pk: int, file_id: int) -> Response:
        """Returns a file of a public entry by its `id`."""
        own = Attachment.objects.filter(
            entry__ticket=self.get_object(), entry__kind__in=PUBLIC
        )
        found = get_object_or_404(own, pk=file_id)
        return file_response(found.name, attachments.read(found))

    def _shown(self, ticket: Ticket) -> Any:
        return WholeTicketSerializer(self.get_queryset().get(pk=ticket.pk)).data
