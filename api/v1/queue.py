"""The mail queue, for operators' systems."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.framework.problems import Conflict
from api.framework.request_validation import ReasonRequest, RequestSerializer, validated
from api.framework.viewsets import ReadResource
from engine.queue import operator_actions
from engine.queue.models import Hold, Recipient, RecipientStatus
from engine.registry.scopes import Scope


class QueuedSerializer(serializers.ModelSerializer[Recipient]):
    """One recipient of a queued message."""

    reference = serializers.CharField(source="message.reference", read_only=True)
    sender = serializers.CharField(source="message.sender", read_only=True)
    accepted_at = serializers.DateTimeField(
        source="message.accepted_at", read_only=True
    )

    hold = serializers.ChoiceField(
        choices=Hold.choices,
        allow_blank=True,
        read_only=True,
        help_text="Why it is held; empty where it is not.",
    )

    class Meta:
        model = Recipient
        fields = read_only_fields = [
            "id",
            "reference",
            "sender",
            "address",
            "status",
            "hold",
            "destination",
            "attempts",
            "last_reply",
            "accepted_at",
            "next_attempt_at",
            "finished_at",
        ]


class QueueFilters(RequestSerializer):
    """The filters for queued mail."""

    status = serializers.ChoiceField(choices=RecipientStatus.choices, required=False)
    address = serializers.CharField(max_length=254, required=False)
    destination = serializers.CharField(max_length=60, required=False)


@extend_schema_view(
    list=extend_schema(summary="List queued mail"),
    retrieve=extend_schema(summary="Read one recipient of a queued message"),
)
class Queue(ReadResource):
    """Queued mail: one row for each recipient of each message. Only for the community's keys."""

    serializer_class = QueuedSerializer
    filter_serializer = QueueFilters
    scopes = {
        "list": Scope.READ_QUEUE,
        "retrieve": Scope.READ_QUEUE,
        "hold": Scope.WRITE_QUEUE,
        "release": Scope.WRITE_QUEUE,
        "retry": Scope.WRITE_QUEUE,
        "drop": Scope.WRITE_QUEUE,
    }

    def get_queryset(self) -> QuerySet[Recipient]:
        # Defence in depth: no key of one organisation can hold the scope.
        if self.caller.organisation is not None:
            return Recipient.objects.none()
        return Recipient.objects.select_related("message")

    @extend_schema(summary="Hold", request=ReasonRequest)
    @action(detail=True, methods=["post"])
    def hold(self, request: Request, pk: int) -> Response:
        """Stops delivery to this recipient until it is released."""
        row = self.get_object()
        reason = validated(request, ReasonRequest)["reason"]
        return self._done(
            row, operator_actions.hold([row.pk], reason=reason, by=self._key)
        )

    @extend_schema(summary="Release", request=None)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: int) -> Response:
        """Queues it again; its time to live starts from the beginning.

        Not where it is held as `withdrawn`: operators put the withdrawal back in the
        console.
        """
        row = self.get_object()
        return self._done(row, operator_actions.release([row.pk], by=self._key))

    @extend_schema(summary="Try again now", request=None)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: int) -> Response:
        """Makes the next attempt now, instead of at its scheduled time."""
        row = self.get_object()
        return self._done(row, operator_actions.retry([row.pk], by=self._key))

    @extend_schema(summary="Drop", request=ReasonRequest)
    @action(detail=True, methods=["post"])
    def drop(self, request: Request, pk: int) -> Response:
        """Gives it up, and notifies the sender that an operator stopped it."""
        row = self.get_object()
        reason = validated(request, ReasonRequest)["reason"]
        return self._done(
            row, operator_actions.drop([row.pk], reason=reason, by=self._key)
        )

    @property
    def _key(self) -> Any:
        return self.caller.key

    def _done(self, row: Recipient, count: int) -> Response:
        row.refresh_from_db()
        if not count:
            raise Conflict(
                f"This is not possible while the status is "
                f"“{row.get_status_display().lower()}” or a delivery attempt is in "
                "progress. Read it again in a moment."
            )
        return Response(self.get_serializer(row).data)
