from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from api.framework.idempotency import idempotent
from api.framework.problems import Conflict
from api.framework.request_validation import Asked, IdField, PlacedAsked, asked
from api.framework.viewsets import Readable
from engine.registry.actions import domains
from engine.registry.models import Domain
from engine.registry.scopes import Scope


class DomainSerializer(serializers.ModelSerializer[Domain]):
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


class DomainFacts(Asked):
    organisation = IdField(required=False)
    member_domain = serializers.CharField(max_length=253, required=False)
    community_domain = serializers.CharField(max_length=253, required=False)


class NewDomain(PlacedAsked):
    member_domain = serializers.CharField(
        max_length=253, help_text="Such as firm.example."
    )


@extend_schema_view(
    list=extend_schema(summary="List domains"),
    retrieve=extend_schema(summary="Read a domain"),
)
class Domains(Readable):
    """The domain an organisation uses itself, and what it is in the community."""

    serializer_class = DomainSerializer
    facts = DomainFacts
    scopes = {
        "list": Scope.READ_ORGANISATIONS,
        "retrieve": Scope.READ_ORGANISATIONS,
        "create": Scope.WRITE_ORGANISATIONS,
        "destroy": Scope.WRITE_ORGANISATIONS,
    }

    def get_queryset(self) -> QuerySet[Domain]:
        return self.caller.within(Domain.objects.all())

    @extend_schema(
        summary="Add a domain",
        request=NewDomain,
        responses={status.HTTP_201_CREATED: DomainSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Only with the community's key: whose a domain is must be checked first."""
        self._check_is_community()
        said = asked(request, NewDomain)
        place = self.caller.place(said.get("organisation"))
        made = domains.add(
            place, member_domain=said["member_domain"], by=self.caller.key
        )
        return Response(DomainSerializer(made).data, status.HTTP_201_CREATED)

    @extend_schema(summary="Remove a domain")
    def destroy(self, request: Request, pk: int) -> Response:
        """Refused while any address is in it."""
        domain = self.get_object()
        self._check_is_community()
        domains.remove(domain, by=self.caller.key)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _check_is_community(self) -> None:
        if self.caller.organisation is not None:
            raise Conflict("Ask the helpdesk: it checks whose a domain is.")
