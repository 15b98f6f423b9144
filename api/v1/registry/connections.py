"""Connections between members' mail servers and the community, with their credentials."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.framework.etags import check_if_match, response_with_etag
from api.framework.idempotency import idempotent
from api.framework.request_validation import (
    IdField,
    OrganisationRequest,
    RequestSerializer,
    validated,
)
from api.framework.viewsets import ReadResource, SuspendableResource, SuspendVerbs
from engine.registry.actions import connections
from engine.registry.models import (
    Connection,
    ConnectionCredential,
    Proof,
    Provider,
    UnprovenMail,
)
from engine.registry.scopes import Scope

# A cloud gateway also needs a provider and a tenant, which only the web pages ask for.
PROOFS = [choice for choice in Proof.choices if choice[0] != Proof.CLOUD]


class CredentialSerializer(serializers.ModelSerializer[ConnectionCredential]):
    """A credential of a connection, without its secret."""

    class Meta:
        model = ConnectionCredential
        fields = read_only_fields = ["id", "username", "created_at", "revoked_at"]


class NewCredentialSerializer(CredentialSerializer):
    """A new credential with its secret."""

    secret = serializers.CharField(read_only=True, help_text="Shown only once.")

    class Meta(CredentialSerializer.Meta):
        fields = read_only_fields = [*CredentialSerializer.Meta.fields, "secret"]


class ConnectionSerializer(serializers.ModelSerializer[Connection]):
    """A connection."""

    credentials = CredentialSerializer(many=True, read_only=True)
    provider = serializers.ChoiceField(
        choices=Provider.choices,
        allow_blank=True,
        read_only=True,
        help_text="Only of a cloud gateway.",
    )
    source_networks = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="CIDR networks."
    )

    class Meta:
        model = Connection
        fields = read_only_fields = [
            "id",
            "organisation",
            "name",
            "is_active",
            "proof",
            "provider",
            "source_networks",
            "certificate_name",
            "next_hop_host",
            "next_hop_port",
            "next_hop_tls_name",
            "strips_suffix",
            "subject_tag",
            "unproven_mail",
            "credentials",
            "created_at",
        ]


class ConnectionFilters(RequestSerializer):
    """The filters for connections."""

    organisation = IdField(required=False)
    is_active = serializers.BooleanField(required=False)


class ConnectionChanges(RequestSerializer):
    """Changes to a connection."""

    name = serializers.CharField(max_length=100, required=False)
    proof = serializers.ChoiceField(choices=PROOFS, required=False)
    source_networks = serializers.ListField(
        child=serializers.CharField(max_length=50), max_length=100, required=False
    )
    certificate_name = serializers.CharField(
        max_length=253, required=False, allow_blank=True
    )
    next_hop_host = serializers.CharField(
        max_length=253, required=False, allow_blank=True
    )
    next_hop_port = serializers.IntegerField(
        min_value=1, max_value=65535, required=False
    )
    next_hop_tls_name = serializers.CharField(
        max_length=253, required=False, allow_blank=True
    )
    strips_suffix = serializers.BooleanField(required=False)
    subject_tag = serializers.CharField(max_length=40, required=False, allow_blank=True)
    unproven_mail = serializers.ChoiceField(
        choices=UnprovenMail.choices,
        required=False,
        help_text="What is done with its mail that fails DMARC or DKIM.",
    )


class NewConnection(OrganisationRequest, ConnectionChanges):
    """A connection to add."""

    proof = serializers.ChoiceField(choices=PROOFS)


@extend_schema_view(
    list=extend_schema(summary="List connections"),
    retrieve=extend_schema(summary="Read a connection"),
)
class Connections(ReadResource, SuspendableResource):
    """Connections between an organisation's own mail servers and the community."""

    serializer_class = ConnectionSerializer
    filter_serializer = ConnectionFilters
    verbs: ClassVar[SuspendVerbs] = connections
    scopes = {
        "list": Scope.READ_CONNECTIONS,
        "retrieve": Scope.READ_CONNECTIONS,
        "create": Scope.WRITE_CONNECTIONS,
        "partial_update": Scope.WRITE_CONNECTIONS,
        "suspend": Scope.WRITE_CONNECTIONS,
        "resume": Scope.WRITE_CONNECTIONS,
        "add_credential": Scope.WRITE_CONNECTIONS,
        "revoke_credential": Scope.WRITE_CONNECTIONS,
    }

    def get_queryset(self) -> QuerySet[Connection]:
        rows = Connection.objects.prefetch_related("credentials")
        return self.caller.visible(rows)

    @extend_schema(
        summary="Add a connection",
        request=NewConnection,
        responses={status.HTTP_201_CREATED: ConnectionSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        fields = validated(request, NewConnection)
        organisation = self.caller.organisation_for(fields.pop("organisation", None))
        made = connections.add(organisation, **fields, by=self.caller.key)
        return Response(ConnectionSerializer(made).data, status.HTTP_201_CREATED)

    @extend_schema(summary="Change a connection", request=ConnectionChanges)
    @check_if_match
    def partial_update(self, request: Request, pk: int) -> Response:
        connection = self.get_object()
        changes: Any = validated(request, ConnectionChanges)
        connections.edit(connection, **changes, by=self.caller.key)
        return response_with_etag(ConnectionSerializer(connection).data)

    @extend_schema(
        summary="Make a credential",
        request=None,
        responses={status.HTTP_201_CREATED: NewCredentialSerializer},
    )
    @action(detail=True, methods=["post"], url_path="credentials")
    @idempotent
    def add_credential(self, request: Request, pk: int) -> Response:
        """Returns a user name and a secret, which only the same request with the same
        Idempotency-Key shows again. Earlier credentials work until revoked.
        """
        made, secret = connections.add_credential(self.get_object(), by=self.caller.key)
        data = {**CredentialSerializer(made).data, "secret": secret}
        return Response(data, status.HTTP_201_CREATED)

    @extend_schema(summary="Revoke a credential", responses={204: None})
    @action(
        detail=True,
        methods=["delete"],
        url_path="credentials/<int:credential_id>",
    )
    def revoke_credential(
        self, request: Request, pk: int, credential_id: int
    ) -> Response:
        """Ends the credential: sessions that use it are refused from now on."""
        row = get_object_or_404(self.get_object().credentials, pk=credential_id)
        connections.revoke_credential(row, by=self.caller.key)
        return Response(status=status.HTTP_204_NO_CONTENT)
