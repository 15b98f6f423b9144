"""Webhook endpoints and the calls to them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.auth.caller import Caller
from api.framework.etags import check_if_match, response_with_etag
from api.framework.idempotency import idempotent
from api.framework.request_validation import (
    OrganisationRequest,
    RequestSerializer,
    validated,
)
from api.framework.viewsets import ListResource, ReadResource
from api.models import WebhookCall
from api.webhooks import delivery
from engine.registry import webhooks
from engine.registry.actions import webhooks as verbs
from engine.registry.models import WebhookEndpoint, WebhookEvent
from engine.registry.scopes import Scope

EVENTS = serializers.ListField(
    child=serializers.ChoiceField(choices=WebhookEvent.choices),
    min_length=1,
    max_length=len(WebhookEvent),
)


class EndpointSerializer(serializers.ModelSerializer[WebhookEndpoint]):
    """A webhook endpoint."""

    events = serializers.ListField(
        child=serializers.ChoiceField(choices=WebhookEvent.choices), read_only=True
    )

    class Meta:
        model = WebhookEndpoint
        fields = read_only_fields = [
            "id",
            "organisation",
            "url",
            "events",
            "is_active",
            "is_test",
            "created_at",
        ]


class NewEndpointSerializer(EndpointSerializer):
    """A webhook endpoint with its secret."""

    secret = serializers.SerializerMethodField(
        help_text="Verifies each call. Shown now only; change it to get a new one."
    )

    class Meta(EndpointSerializer.Meta):
        fields = read_only_fields = [*EndpointSerializer.Meta.fields, "secret"]

    def get_secret(self, endpoint: WebhookEndpoint) -> str:
        return webhooks.secret(endpoint.sealed_secret)


class NewEndpoint(OrganisationRequest):
    """A webhook endpoint to add."""

    url = serializers.CharField(max_length=500, help_text="Must begin with https://.")
    events = EVENTS


class EndpointChanges(RequestSerializer):
    """Changes to a webhook endpoint."""

    url = serializers.CharField(max_length=500, required=False)
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=WebhookEvent.choices),
        min_length=1,
        required=False,
    )
    is_active = serializers.BooleanField(required=False)


class CallSerializer(serializers.ModelSerializer[WebhookCall]):
    """One call to a webhook endpoint."""

    payload = serializers.DictField(read_only=True)

    class Meta:
        model = WebhookCall
        fields = read_only_fields = [
            "id",
            "event",
            "payload",
            "state",
            "attempts",
            "next_attempt_at",
            "last_reply",
            "created_at",
        ]


def _endpoints(caller: Caller) -> QuerySet[WebhookEndpoint]:
    """Returns the endpoints of the caller's own mode: live, or of the sandbox."""
    rows = WebhookEndpoint.objects.filter(is_test=caller.is_test)
    return caller.visible(rows)


@extend_schema_view(
    list=extend_schema(summary="List webhook endpoints"),
    retrieve=extend_schema(summary="Read a webhook endpoint"),
)
class Endpoints(ReadResource):
    """Addresses that are notified of events, by calls signed as in Standard Webhooks."""

    serializer_class = EndpointSerializer
    scopes = {
        "list": Scope.READ_WEBHOOKS,
        "retrieve": Scope.READ_WEBHOOKS,
        "create": Scope.WRITE_WEBHOOKS,
        "partial_update": Scope.WRITE_WEBHOOKS,
        "destroy": Scope.WRITE_WEBHOOKS,
        "rotate": Scope.WRITE_WEBHOOKS,
    }

    def get_queryset(self) -> QuerySet[WebhookEndpoint]:
        return _endpoints(self.caller)

    @extend_schema(
        summary="Add a webhook endpoint",
        request=NewEndpoint,
        responses={status.HTTP_201_CREATED: NewEndpointSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """A key of the community that names no organisation adds an endpoint for all."""
        fields: Any = validated(request, NewEndpoint)
        named = fields.pop("organisation", None)
        is_for_all = self.caller.organisation is None and named is None
        organisation = None if is_for_all else self.caller.organisation_for(named)
        made = verbs.add(
            organisation,
            **fields,
            is_test=self.caller.is_test,
            by=self.caller.key,
        )
        return Response(NewEndpointSerializer(made).data, status.HTTP_201_CREATED)

    @extend_schema(summary="Change a webhook endpoint", request=EndpointChanges)
    @check_if_match
    def partial_update(self, request: Request, pk: int) -> Response:
        endpoint = self.get_object()
        changes: Any = validated(request, EndpointChanges)
        verbs.edit(endpoint, **changes, by=self.caller.key)
        return response_with_etag(EndpointSerializer(endpoint).data)

    @extend_schema(summary="Remove a webhook endpoint")
    def destroy(self, request: Request, pk: int) -> Response:
        verbs.remove(self.get_object(), by=self.caller.key)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Change the secret", request=None, responses=NewEndpointSerializer
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def rotate(self, request: Request, pk: int) -> Response:
        """For a day, calls are signed with the old secret as well."""
        endpoint = self.get_object()
        verbs.rotate(endpoint, by=self.caller.key)
        return Response(NewEndpointSerializer(endpoint).data)


@extend_schema_view(list=extend_schema(summary="List the calls of an endpoint"))
class Calls(ListResource):
    """The calls to an endpoint, delivered or waiting; kept for thirty days."""

    serializer_class = CallSerializer
    scopes = {"list": Scope.READ_WEBHOOKS, "replay": Scope.WRITE_WEBHOOKS}

    def get_queryset(self) -> QuerySet[WebhookCall]:
        rows = _endpoints(self.caller)
        return get_object_or_404(rows, pk=self.kwargs["endpoint_id"]).calls.all()

    @extend_schema(summary="Repeat a call", request=None, responses=CallSerializer)
    @idempotent
    def replay(self, request: Request, endpoint_id: int, pk: int) -> Response:
        """Delivers the call again, whether or not it was accepted before."""
        call = get_object_or_404(self.get_queryset(), pk=pk)
        delivery.replay(call)
        return Response(CallSerializer(call).data)
