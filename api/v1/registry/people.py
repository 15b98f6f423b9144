from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.framework.etags import if_unchanged, tagged
from api.framework.idempotency import idempotent
from api.framework.problems import Conflict
from api.framework.request_validation import (
    Asked,
    IdField,
    PlacedAsked,
    ReasonAsked,
    asked,
)
from api.framework.switching import Switch, Switched
from api.framework.viewsets import Readable
from engine.registry import permissions
from engine.registry.actions import people, recovery
from engine.registry.models import Person, RecoveryAddressChange
from engine.registry.scopes import Scope


class PersonSerializer(serializers.ModelSerializer[Person]):
    roles = serializers.SerializerMethodField(help_text="In the organisation.")

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

    def get_roles(self, person: Person) -> list[str]:
        return sorted({role.role for role in person.organisation_roles.all()})


class PersonFacts(Asked):
    organisation = IdField(required=False)
    address = serializers.CharField(max_length=254, required=False)
    is_active = serializers.BooleanField(required=False)


class PersonChanges(Asked):
    name = serializers.CharField(max_length=150, required=False)
    job_title = serializers.CharField(max_length=150, required=False, allow_blank=True)
    phone = serializers.CharField(max_length=40, required=False, allow_blank=True)
    town = serializers.CharField(max_length=100, required=False, allow_blank=True)
    is_ex_directory = serializers.BooleanField(required=False)


class NewPerson(PlacedAsked, PersonChanges):
    address = serializers.CharField(
        max_length=254, help_text="In one of the organisation's domains."
    )
    name = serializers.CharField(max_length=150)
    everyday_address = serializers.CharField(
        max_length=254,
        required=False,
        allow_blank=True,
        help_text="Where the link for the first sign-in goes. Change it later by "
        "its own operation.",
    )


class NewRecoveryAddress(ReasonAsked):
    address = serializers.CharField(
        max_length=254, allow_blank=True, help_text="Outside the community."
    )
    reason = serializers.CharField(max_length=200)


class RecoveryAddressSerializer(serializers.ModelSerializer[RecoveryAddressChange]):
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
class People(Readable, Switched):
    """Those who may sign in, each with one secure address."""

    serializer_class = PersonSerializer
    facts = PersonFacts
    verbs: ClassVar[Switch] = people
    scopes = {
        "list": Scope.READ_PEOPLE,
        "retrieve": Scope.READ_PEOPLE,
        "create": Scope.WRITE_PEOPLE,
        "partial_update": Scope.WRITE_PEOPLE,
        "suspend": Scope.WRITE_PEOPLE,
        "resume": Scope.WRITE_PEOPLE,
        "recovery_address": Scope.WRITE_RECOVERY,
    }

    def get_queryset(self) -> QuerySet[Person]:
        rows = Person.objects.filter(organisation__isnull=False)
        return self.caller.within(rows.prefetch_related("organisation_roles"))

    @extend_schema(
        summary="Add a person",
        request=NewPerson,
        responses={status.HTTP_201_CREATED: PersonSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """With a mailbox where the organisation's are kept here. An administrator
        sends the link with which they choose a password.
        """
        said: Any = asked(request, NewPerson)
        place = self.caller.place(said.pop("organisation", None))
        made = people.add(place, **said, by=self.caller.key)
        return Response(PersonSerializer(made).data, status.HTTP_201_CREATED)

    @extend_schema(summary="Change a person", request=PersonChanges)
    @if_unchanged
    def partial_update(self, request: Request, pk: int) -> Response:
        person = self.get_object()
        self.check_can_switch(person)
        changes: Any = asked(request, PersonChanges)
        people.edit(person, **changes, by=self.caller.key)
        return tagged(PersonSerializer(person).data)

    @extend_schema(
        summary="Ask for another everyday address",
        request=NewRecoveryAddress,
        responses={status.HTTP_202_ACCEPTED: RecoveryAddressSerializer},
    )
    @action(detail=True, methods=["post"], url_path="recovery-address")
    @idempotent
    def recovery_address(self, request: Request, pk: int) -> Response:
        """Links that open the account go there when the community's delay has passed,
        unless the owner refuses: they, and the organisation's administrators, hear at
        once. While nobody has used the account it takes effect immediately.
        """
        person = self.get_object()
        said = asked(request, NewRecoveryAddress)
        change = recovery.request_address_change(person, **said, by=self.caller.key)
        shown = RecoveryAddressSerializer(change).data
        return Response(shown, status.HTTP_202_ACCEPTED)

    def check_can_switch(self, row: Any) -> None:
        """Whoever could give staff another way in would hold their powers."""
        if permissions.is_privileged(row):
            raise Conflict(f"{row.name} has a role of staff: no key changes that.")
