"""Mailboxes, and the rights in group mailboxes."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from api.framework.etags import check_if_match, response_with_etag
from api.framework.idempotency import idempotent
from api.framework.problems import Conflict
from api.framework.request_validation import (
    IdField,
    OrganisationRequest,
    RequestSerializer,
    validated,
)
from api.framework.viewsets import (
    ListResource,
    ReadResource,
    SuspendableResource,
    SuspendVerbs,
)
from engine.registry.actions import mailboxes
from engine.registry.models import Grant, Mailbox, MailboxKind
from engine.registry.scopes import Scope

# Bytes: as much as the console lets an operator give.
LARGEST_QUOTA = 1000 * 1024**3


class MailboxSerializer(serializers.ModelSerializer[Mailbox]):
    """A mailbox."""

    class Meta:
        model = Mailbox
        fields = read_only_fields = [
            "id",
            "organisation",
            "address",
            "name",
            "kind",
            "is_active",
            "is_published",
            "quota_bytes",
            "used_bytes",
            "created_at",
        ]


class MailboxFilters(RequestSerializer):
    """The filters for mailboxes."""

    organisation = IdField(required=False)
    address = serializers.CharField(max_length=254, required=False)
    kind = serializers.ChoiceField(choices=MailboxKind.choices, required=False)


class MailboxFields(RequestSerializer):
    """What is set of a group mailbox, also when it is added."""

    name = serializers.CharField(max_length=150, required=False)
    is_published = serializers.BooleanField(
        required=False, help_text="Whether the directory shows it."
    )


class MailboxChanges(MailboxFields):
    """Changes to a mailbox."""

    quota_bytes = serializers.IntegerField(
        min_value=0,
        max_value=LARGEST_QUOTA,
        required=False,
        help_text="Only by a key of the community, of personal mailboxes as well.",
    )


class NewMailbox(OrganisationRequest, MailboxFields):
    """A group mailbox to add."""

    address = serializers.CharField(
        max_length=254, help_text="In one of the organisation's domains."
    )
    name = serializers.CharField(max_length=150)


@extend_schema_view(
    list=extend_schema(summary="List mailboxes"),
    retrieve=extend_schema(summary="Read a mailbox"),
)
class Mailboxes(ReadResource, SuspendableResource):
    """The mailboxes hosted here: of one person, or of a group."""

    serializer_class = MailboxSerializer
    filter_serializer = MailboxFilters
    verbs: ClassVar[SuspendVerbs] = mailboxes
    scopes = {
        "list": Scope.READ_MAILBOXES,
        "retrieve": Scope.READ_MAILBOXES,
        "create": Scope.WRITE_MAILBOXES,
        "partial_update": Scope.WRITE_MAILBOXES,
        "suspend": Scope.WRITE_MAILBOXES,
        "resume": Scope.WRITE_MAILBOXES,
    }

    def get_queryset(self) -> QuerySet[Mailbox]:
        return self.caller.visible(Mailbox.objects.all())

    @extend_schema(
        summary="Add a group mailbox",
        request=NewMailbox,
        responses={status.HTTP_201_CREATED: MailboxSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        fields: Any = validated(request, NewMailbox)
        organisation = self.caller.organisation_for(fields.pop("organisation", None))
        made = mailboxes.add_group(organisation, **fields, by=self.caller.key)
        return Response(MailboxSerializer(made).data, status.HTTP_201_CREATED)

    @extend_schema(summary="Change a mailbox", request=MailboxChanges)
    @check_if_match
    def partial_update(self, request: Request, pk: int) -> Response:
        """A personal mailbox follows its person, except for its quota."""
        mailbox = self.get_object()
        changes: Any = validated(request, MailboxChanges)
        if changes.keys() != {"quota_bytes"}:
            self.check_can_change(mailbox)
        if "quota_bytes" in changes and self.caller.organisation is not None:
            raise Conflict("Only a key of the community sets quotas. Ask the helpdesk.")
        mailboxes.edit(mailbox, **changes, by=self.caller.key)
        return response_with_etag(MailboxSerializer(mailbox).data)

    def check_can_change(self, row: Any) -> None:
        """Raises Conflict for a personal mailbox, which follows its person."""
        if row.kind != MailboxKind.GROUP:
            raise Conflict(
                "This mailbox belongs to one person. Change the person instead."
            )


class GrantSerializer(serializers.ModelSerializer[Grant]):
    """The rights of one person in a group mailbox."""

    address = serializers.CharField(source="person.address", read_only=True)

    class Meta:
        model = Grant
        fields = read_only_fields = [
            "person",
            "address",
            "can_read",
            "can_write",
            "can_send",
        ]


class Rights(RequestSerializer):
    """Rights to set; those left out are removed."""

    can_read = serializers.BooleanField(default=False)
    can_write = serializers.BooleanField(default=False)
    can_send = serializers.BooleanField(default=False)


@extend_schema_view(list=extend_schema(summary="List the rights in a group mailbox"))
class Grants(ListResource):
    """The rights of each person in a group mailbox: none of them includes another."""

    serializer_class = GrantSerializer
    scopes = {
        "list": Scope.READ_MAILBOXES,
        "update": Scope.WRITE_MAILBOXES,
        "destroy": Scope.WRITE_MAILBOXES,
    }

    def get_queryset(self) -> QuerySet[Grant]:
        return self._mailbox().grants.select_related("person")

    def _mailbox(self) -> Mailbox:
        rows = self.caller.visible(Mailbox.objects.filter(kind=MailboxKind.GROUP))
        return get_object_or_404(rows, pk=self.kwargs["mailbox_id"])

    @extend_schema(summary="Set the rights of a person", request=Rights)
    def update(self, request: Request, mailbox_id: int, person_id: int) -> Response:
        """Replaces the rights of a person of the same organisation."""
        mailbox = self._mailbox()
        person = get_object_or_404(mailbox.organisation.people, pk=person_id)
        rights = validated(request, Rights)
        made = mailboxes.grant(mailbox, person, **rights, by=self.caller.key)
        return Response(GrantSerializer(made).data)

    @extend_schema(summary="Remove the rights of a person")
    def destroy(self, request: Request, mailbox_id: int, person_id: int) -> Response:
        mailbox = self._mailbox()
        grant = get_object_or_404(self.get_queryset(), person=person_id)
        mailboxes.revoke(mailbox, grant.person, by=self.caller.key)
        return Response(status=status.HTTP_204_NO_CONTENT)
