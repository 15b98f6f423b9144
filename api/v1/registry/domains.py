"""The domains of organisations."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from api.framework.idempotency import idempotent
from api.framework.problems import Conflict
from api.framework.request_validation import (
    IdField,
    OrganisationRequest,
    RequestSerializer,
    validated,
)
from api.framework.viewsets import ReadResource
from engine.registry.actions import domains
from engine.registry.models import Domain
from engine.registry.scopes import Scope


class DomainSerializer(serializers.ModelSerializer[Domain]):
    """A domain."""

    class Meta:
        model = Domain
        fields = read_only_fields = [
            "id",
            "organisation",
            "member_domain",
            "community_domain",
            "verified_at",
            "created_at",
        ]


class DomainFilters(RequestSerializer):
    """The filters for domains."""

    organisation = IdField(required=False)
    member_domain = serializers.CharField(max_length=253, required=False)
    community_domain = serializers.CharField(max_length=253, required=False)


class NewDomain(OrganisationRequest):
    """A domain to add."""

    member_domain = serializers.CharField(
        max_length=253, help_text="For example firm.example."
    )


@extend_schema_view(
    list=extend_schema(summary="List domains"),
    retrieve=extend_schema(summary="Read a domain"),
)
class Domains(ReadResource):
    """The domains of organisations: their own, and its form inside the community."""

    serializer_class = DomainSerializer
    filter_serializer = DomainFilters
    scopes = {
        "list": Scope.READ_ORGANISATIONS,
        "retrieve": Scope.READ_ORGANISATIONS,
        "create": Scope.WRITE_ORGANISATIONS,
        "destroy": Scope.WRITE_ORGANISATIONS,
    }

    def get_queryset(self) -> QuerySet[Domain]:
        return self.caller.visible(Domain.objects.all())

    @extend_schema(
        summary="Add a domain",
        request=NewDomain,
        responses={status.HTTP_201_CREATED: DomainSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Only with the community's key: ownership of the domain has to be verified first."""
        self._check_is_community()
        fields = validated(request, NewDomain)
        organisation = self.caller.organisation_for(fields.get("organisation"))
        made = domains.add(
            organisation, member_domain=fields["member_domain"], by=self.caller.key
        )
        return Response(DomainSerializer(made).data, status.HTTP_201_CREATED)

    @extend_schema(summary="Remove a domain")
    def destroy(self, request: Request, pk: int) -> Response:
        """Refused while any address uses the domain."""
        domain = self.get_object()
        self._check_is_community()
        domains.remove(domain, by=self.caller.key)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _check_is_community(self) -> None:
        if self.caller.organisation is not None:
            raise Conflict(
                "Only a key of the community can add or remove domains. Ask the helpdesk, which verifies ownership."
            )
