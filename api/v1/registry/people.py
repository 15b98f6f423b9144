"""People of organisations."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.decorators import action
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
from api.framework.viewsets import ReadResource, SuspendableResource, SuspendVerbs
from engine.registry import permissions
from engine.registry.actions import people, recovery
from engine.registry.models import Person, RecoveryAddressChange
from engine.registry.scopes import Scope


class PersonSerializer(serializers.ModelSerializer[Person]):
    """A person."""

    roles = serializers.SerializerMethodField(
        help_text="The roles in the organisation."
    )

    class Meta:
        model = Person
        fields = read_only_fields = [
            "id",
            "organisation",
            "address",
            "name",
            "job_title",
            "phone",
            "town",
            "everyday_address",
            "is_ex_directory",
            "is_active",
            "roles",
            "created_at",
        ]

    def to_representation(self, instance: Person) -> dict[str, Any]:
        """Leaves out from test keys the address by which an account is recovered."""
        shown: dict[str, Any] = super().to_representation(instance)
        view = self.context.get("view")
        if view is not None and view.caller.is_test:
            shown["everyday_address"] = ""
        return shown

    def get_roles(self, person: Person) -> list[str]:
        return sorted({role.role for role in person.organisation_roles.all()})


class PersonFilters(RequestSerializer):
    """The filters for people."""

    organisation = IdField(required=False)
    address = serializers.CharField(max_length=254, required=False)
    is_active = serializers.BooleanField(required=False)


class PersonChanges(RequestSerializer):
    """Changes to a person."""

    name = serializers.CharField(max_length=150, required=False)
    job_title = serializers.CharField(max_length=150, required=False, allow_blank=True)
    phone = serializers.CharField(max_length=40, required=False, allow_blank=True)
    town = serializers.CharField(max_length=100, required=False, allow_blank=True)
    is_ex_directory = serializers.BooleanField(required=False)


class NewPerson(OrganisationRequest, PersonChanges):
    """A person to add."""

    address = serializers.CharField(
        max_length=254, help_text="In one of the organisation's domains."
    )
    name = serializers.CharField(max_length=150)
    everyday_address = serializers.CharField(
        max_length=254,
        required=False,
        allow_blank=True,
        help_text="The address for the first sign-in link. It is changed later by its "
        "own operation.",
    )


class NewRecoveryAddress(RequestSerializer):
    """A new everyday address, with the reason for the change."""

    address = serializers.CharField(
        max_length=254, allow_blank=True, help_text="Outside the community."
    )
    reason = serializers.CharField(max_length=200)


class RecoveryAddressSerializer(serializers.ModelSerializer[RecoveryAddressChange]):
    """A requested change of an everyday address."""

    address = serializers.CharField(source="new", read_only=True)

    class Meta:
        model = RecoveryAddressChange
        fields = read_only_fields = [
            "id",
            "person",
            "address",
            "requested_at",
            "effective_at",
            "applied_at",
        ]


@extend_schema_view(
    list=extend_schema(summary="List people"),
    retrieve=extend_schema(summary="Read a person"),
)
class People(ReadResource, SuspendableResource):
    """The people of organisations, each with one secure address."""

    serializer_class = PersonSerializer
    filter_serializer = PersonFilters
    verbs: ClassVar[SuspendVerbs] = people
    scopes = {
        "list": Scope.READ_PEOPLE,
        "retrieve": Scope.READ_PEOPLE,
        "create": Scope.WRITE_PEOPLE,
        "partial_update": Scope.WRITE_PEOPLE,
        "suspend": Scope.WRITE_PEOPLE,
        "resume": Scope.WRITE_PEOPLE,
        "recovery_address": Scope.WRITE_RECOVERY,
        "destroy": Scope.WRITE_PEOPLE,
    }

    def get_queryset(self) -> QuerySet[Person]:
        rows = Person.objects.filter(organisation__isnull=False)
        return self.caller.visible(rows.prefetch_related("organisation_roles"))

    @extend_schema(
        summary="Add a person",
        request=NewPerson,
        responses={status.HTTP_201_CREATED: PersonSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Also creates a mailbox where the organisation's mailboxes are hosted here. The
        person signs in once they were sent a sign-in link.
        """
        fields: Any = validated(request, NewPerson)
        organisation = self.caller.organisation_for(fields.pop("organisation", None))
        made = people.add(organisation, **fields, by=self.caller.key)
        return Response(PersonSerializer(made).data, status.HTTP_201_CREATED)

    @extend_schema(summary="Change a person", request=PersonChanges)
    @check_if_match
    def partial_update(self, request: Request, pk: int) -> Response:
        person = self.get_object()
        self.check_can_change(person)
        changes: Any = validated(request, PersonChanges)
        people.edit(person, **changes, by=self.caller.key)
        return response_with_etag(PersonSerializer(person).data)

    @extend_schema(
        summary="Request a new everyday address",
        request=NewRecoveryAddress,
        responses={status.HTTP_202_ACCEPTED: RecoveryAddressSerializer},
    )
    @action(detail=True, methods=["post"], url_path="recovery-address")
    @idempotent
    def recovery_address(self, request: Request, pk: int) -> Response:
        """Sign-in links go to the new address once the community's delay has passed,
        unless the owner refuses: the owner and the organisation's administrators are
        notified immediately. For an account never used, it takes effect immediately.
        """
        person = self.get_object()
        fields = validated(request, NewRecoveryAddress)
        change = recovery.request_address_change(person, **fields, by=self.caller.key)
        shown = RecoveryAddressSerializer(change).data
        return Response(shown, status.HTTP_202_ACCEPTED)

    @extend_schema(summary="Remove a person who never used the account")
    def destroy(self, request: Request, pk: int) -> Response:
        """Removes an account that was added by mistake, with its empty mailbox. Refused
        once it was signed in to or got mail: suspend those instead, which loses nothing.
        """
        person = self.get_object()
        self.check_can_change(person)
        people.remove(person, by=self.caller.key)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def check_can_change(self, row: Any) -> None:
        """Raises Conflict for a member of staff."""
        check_is_not_staff(row)


def check_is_not_staff(person: Person) -> None:
    """Raises Conflict for a member of staff.

    A key that could change how staff sign in would gain their permissions.
    """
    if permissions.is_privileged(person):
        raise Conflict(
            f"{person.name} is a member of staff, and API keys cannot change staff. "
            "Ask the helpdesk."
        )
