from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.framework.etags import if_unchanged, tagged
from api.framework.request_validation import Asked, PlacedAsked, asked
from api.framework.viewsets import Listed, Readable
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
            "created_at",
        ]


class NewEndpointSerializer(EndpointSerializer):
    secret = serializers.SerializerMethodField(
        help_text="With which you verify each request; ask for another to see one again."
    )

    class Meta(EndpointSerializer.Meta):
        fields = read_only_fields = [*EndpointSerializer.Meta.fields, "secret"]

    def get_secret(self, endpoint: WebhookEndpoint) -> str:
        return webhooks.secret(endpoint.sealed_secret)


class NewEndpoint(PlacedAsked):
    url = serializers.CharField(max_length=500, help_text="Must begin with https://.")
    events = EVENTS


class EndpointChanges(Asked):
    url = serializers.CharField(max_length=500, required=False)
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=WebhookEvent.choices),
        min_length=1,
        required=False,
    )
    is_active = serializers.BooleanField(required=False)


class CallSerializer(serializers.ModelSerializer[WebhookCall]):
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


@extend_schema_view(
    list=extend_schema(summary="List webhook endpoints"),
    retrieve=extend_schema(summary="Read a webhook endpoint"),
)
class Endpoints(Readable):
    """Addresses that are told what happens, signed as Standard Webhooks says."""

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
        return self.caller.within(WebhookEndpoint.objects.all())

    @extend_schema(
        summary="Add a webhook endpoint",
        request=NewEndpoint,
        responses={status.HTTP_201_CREATED: NewEndpointSerializer},
    )
    def create(self, request: Request) -> Response:
        """Without an organisation, the community's key adds one that is told of all."""
        said: Any = asked(request, NewEndpoint)
        named = said.pop("organisation", None)
        is_for_all = self.caller.organisation is None and named is None
        place = None if is_for_all else self.caller.place(named)
        made = verbs.add(place, **said, by=self.caller.key)
        return Response(NewEndpointSerializer(made).data, status.HTTP_201_CREATED)

    @extend_schema(summary="Change a webhook endpoint", request=EndpointChanges)
    @if_unchanged
    def partial_update(self, request: Request, pk: int) -> Response:
        endpoint = self.get_object()
        changes: Any = asked(request, EndpointChanges)
        verbs.edit(endpoint, **changes, by=self.caller.key)
        return tagged(EndpointSerializer(endpoint).data)

    @extend_schema(summary="Remove a webhook endpoint")
    def destroy(self, request: Request, pk: int) -> Response:
        verbs.remove(self.get_object(), by=self.caller.key)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Change the secret", request=None, responses=NewEndpointSerializer
    )
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: int) -> Response:
        """For a day, requests are signed with the earlier one too."""
        endpoint = self.get_object()
        verbs.rotate(endpoint, by=self.caller.key)
        return Response(NewEndpointSerializer(endpoint).data)


@extend_schema_view(list=extend_schema(summary="List what an endpoint was told"))
class Calls(Listed):
    """What an endpoint was told, or is still to be told; kept for thirty days."""

    serializer_class = CallSerializer
    scopes = {"list": Scope.READ_WEBHOOKS, "replay": Scope.WRITE_WEBHOOKS}

    def get_queryset(self) -> QuerySet[WebhookCall]:
        mine = self.caller.within(WebhookEndpoint.objects.all())
        return get_object_or_404(mine, pk=self.kwargs["endpoint_id"]).calls.all()

    @extend_schema(summary="Tell it again", request=None, responses=CallSerializer)
    def replay(self, request: Request, endpoint_id: int, pk: int) -> Response:
        call = get_object_or_404(self.get_queryset(), pk=pk)
        delivery.replay(call)
        return Response(CallSerializer(call).data)
