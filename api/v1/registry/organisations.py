"""Organisations of the community."""

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
from api.framework.request_validation import RequestSerializer, validated
from api.framework.viewsets import ReadResource, SuspendableResource, SuspendVerbs
from engine.registry.actions import organisations
from engine.registry.models import AccountType, Kind, Organisation, OrganisationStatus
from engine.registry.scopes import Scope


class OrganisationSerializer(serializers.ModelSerializer[Organisation]):
    """An organisation."""

    class Meta:
        model = Organisation
        fields = read_only_fields = [
            "id",
            "name",
            "kind",
            "account_type",
            "status",
            "town",
            "mfa_required",
            "created_at",
        ]


class OrganisationFilters(RequestSerializer):
    """The filters for organisations."""

    kind = serializers.ChoiceField(choices=Kind.choices, required=False)
    status = serializers.ChoiceField(choices=OrganisationStatus.choices, required=False)


class NewOrganisation(RequestSerializer):
    """An organisation to add."""

    name = serializers.CharField(max_length=200)
    kind = serializers.ChoiceField(choices=Kind.choices)
    account_type = serializers.ChoiceField(choices=AccountType.choices)
    town = serializers.CharField(
        max_length=100, required=False, allow_blank=True, default=""
    )


class OrganisationChanges(RequestSerializer):
    """Changes to an organisation."""

    name = serializers.CharField(max_length=200, required=False)
    town = serializers.CharField(max_length=100, required=False, allow_blank=True)
    mfa_required = serializers.BooleanField(required=False)


@extend_schema_view(
    list=extend_schema(summary="List organisations"),
    retrieve=extend_schema(summary="Read an organisation"),
)
class Organisations(ReadResource, SuspendableResource):
    """The organisations of the community. A key of one organisation sees only its own."""

    serializer_class = OrganisationSerializer
    filter_serializer = OrganisationFilters
    verbs: ClassVar[SuspendVerbs] = organisations
    scopes = {
        "list": Scope.READ_ORGANISATIONS,
        "retrieve": Scope.READ_ORGANISATIONS,
        "create": Scope.WRITE_ORGANISATIONS,
        "partial_update": Scope.WRITE_ORGANISATIONS,
        "activate": Scope.WRITE_ORGANISATIONS,
        "suspend": Scope.WRITE_ORGANISATIONS,
        "resume": Scope.WRITE_ORGANISATIONS,
    }

    def get_queryset(self) -> QuerySet[Organisation]:
        return self.caller.visible(Organisation.objects.all(), "pk")

    @extend_schema(
        summary="Add an organisation",
        request=NewOrganisation,
        responses={status.HTTP_201_CREATED: OrganisationSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Only with the community's key. No mail flows until the organisation is activated."""
        self._check_is_community()
        made = organisations.add(
            **validated(request, NewOrganisation), by=self.caller.key
        )
        return Response(OrganisationSerializer(made).data, status.HTTP_201_CREATED)

    @extend_schema(summary="Change an organisation", request=OrganisationChanges)
    @check_if_match
    def partial_update(self, request: Request, pk: int) -> Response:
        organisation = self.get_object()
        changes = validated(request, OrganisationChanges)
        organisations.edit(organisation, **changes, by=self.caller.key)
        return response_with_etag(OrganisationSerializer(organisation).data)

    @extend_schema(summary="Activate an organisation", request=None)
    @action(detail=True, methods=["post"])
    def activate(self, request: Request, pk: int) -> Response:
        """Lets mail flow for an organisation that has been set up. Only with the community's key."""
        organisation = self.get_object()
        self._check_is_community()
        organisations.activate(organisation, by=self.caller.key)
        return Response(OrganisationSerializer(organisation).data)

    def check_can_change(self, row: Any) -> None:
        """Raises Conflict unless the key belongs to the community."""
        self._check_is_community()

    def _check_is_community(self) -> None:
        if self.caller.organisation is not None:
            raise Conflict("Only a key of the community can do this. Ask the helpdesk.")
