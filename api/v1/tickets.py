from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.framework.idempotency import idempotent
from api.framework.request_validation import Asked, IdField, asked
from api.framework.viewsets import Readable
from engine.registry.models import Person
from engine.registry.scopes import Scope
from portal.helpdesk.actions import tickets
from portal.helpdesk.actions.tickets import Question
from portal.helpdesk.models import Entry, Ticket
from portal.helpdesk.policies import LONGEST_TEXT
from portal.helpdesk.status import Category, Priority, Source, Status


class TicketEntrySerializer(serializers.ModelSerializer[Entry]):
    class Meta:
        model = Entry
        fields = read_only_fields = [
            "id",
            "kind",
            "author_name",
            "author_address",
            "text",
            "created_at",
        ]


class TicketSerializer(serializers.ModelSerializer[Ticket]):
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
    entries = TicketEntrySerializer(many=True, read_only=True)

    class Meta(TicketSerializer.Meta):
        fields = read_only_fields = [*TicketSerializer.Meta.fields, "entries"]


class TicketFacts(Asked):
    status = serializers.ChoiceField(choices=Status.choices, required=False)
    category = serializers.ChoiceField(choices=Category.choices, required=False)
    requester = IdField(required=False)


class NewTicket(Asked):
    requester = IdField(help_text="The person who asks.")
    subject = serializers.CharField(max_length=200)
    text = serializers.CharField(max_length=LONGEST_TEXT)
    category = serializers.ChoiceField(choices=Category.choices, default=Category.OTHER)
    priority = serializers.ChoiceField(
        choices=Priority.choices, default=Priority.NORMAL
    )


class TicketReply(Asked):
    text = serializers.CharField(max_length=LONGEST_TEXT)
    status = serializers.ChoiceField(
        choices=Status.choices,
        default=Status.WAITING_FOR_REQUESTER,
        help_text="Where the helpdesk's answer leaves it; only of the community's keys.",
    )


@extend_schema_view(
    list=extend_schema(summary="List tickets"),
    retrieve=extend_schema(summary="Read a ticket"),
)
class Tickets(Readable):
    """Questions to the helpdesk. An organisation's key knows those that keys opened;
    what its members ask themselves stays theirs. The community's key knows all.
    """

    serializer_class = TicketSerializer
    facts = TicketFacts
    scopes = {
        "list": Scope.READ_TICKETS,
        "retrieve": Scope.READ_TICKETS,
        "create": Scope.WRITE_TICKETS,
        "reply": Scope.WRITE_TICKETS,
    }

    def get_queryset(self) -> QuerySet[Ticket]:
        rows = Ticket.objects.all()
        if self.caller.organisation is not None:
            rows = rows.filter(source=Source.API)
        if self.action != "list":
            said = Prefetch("entries", Entry.objects.public())
            rows = rows.prefetch_related(said)
        return self.caller.within(rows)

    def get_serializer_class(self) -> Any:
        return TicketSerializer if self.action == "list" else WholeTicketSerializer

    @extend_schema(
        summary="Ask the helpdesk",
        request=NewTicket,
        responses={status.HTTP_201_CREATED: WholeTicketSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """For one person, who is told the ticket's number by mail."""
        said = asked(request, NewTicket)
        people = Person.objects.filter(organisation__isnull=False, is_active=True)
        who = get_object_or_404(self.caller.within(people), pk=said.pop("requester"))
        question = Question(
            address=who.address,
            name=who.name,
            person=who,
            subject=said["subject"],
            text=said["text"],
            category=Category(said["category"]),
            priority=Priority(said["priority"]),
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
        """An organisation's key adds to the question, the community's answers it."""
        ticket, said = self.get_object(), asked(request, TicketReply)
        if self.caller.organisation is not None:
            tickets.hear(ticket, said["text"], by=self.caller.key)
        else:
            tickets.answer(
                ticket,
                said["text"],
                status=Status(said["status"]),
                seen=ticket.entries.order_by("-pk").values_list("pk", flat=True)[0],
                by=self.caller.key,
            )
        return Response(self._shown(ticket), status.HTTP_201_CREATED)

    def _shown(self, ticket: Ticket) -> Any:
        return WholeTicketSerializer(self.get_queryset().get(pk=ticket.pk)).data
