"""The trace of a message: every step of its delivery, for each recipient."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.framework.viewsets import Resource
from engine.queue.delivery import untried_recipients
from engine.registry.scopes import Scope
from engine.trace.models import Event, EventKind
from engine.trace.timeline import repeated
from portal.organisation.mail import trace_visibility

# Events shown of one message: a list may have thousands of members.
MAX_EVENTS = 5000


class StepSerializer(serializers.Serializer[Any]):
    """One step of a message, for one recipient."""

    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=EventKind.choices)
    recipient = serializers.CharField(allow_blank=True)
    reply = serializers.CharField(
        allow_blank=True, help_text="The reply of the next server, or the reason."
    )
    times = serializers.IntegerField(
        help_text="How often it happened: repeated deferrals are one step."
    )
    last_at = serializers.DateTimeField(
        allow_null=True, help_text="The last time, where it happened more than once."
    )


class TraceSerializer(serializers.Serializer[Any]):
    """The steps of one message."""

    reference = serializers.CharField()
    sender = serializers.CharField(allow_blank=True)
    steps = StepSerializer(many=True)


class Traces(Resource):
    """The delivery steps of a message for each recipient, without its content."""

    serializer_class = TraceSerializer
    pagination_class = None
    lookup_field = "reference"
    lookup_value_converter = "str"
    scopes = {"retrieve": Scope.READ_MESSAGES}

    @extend_schema(summary="Follow a message")
    def retrieve(self, request: Request, reference: str) -> Response:
        """The sender's organisation sees every recipient; others see their own.

        The members that a distribution list delivers to are shown to the organisation
        that owns the list. A message that was refused is shown to the organisation whose
        server, person or key was refused, by the reference in the reply.
        """
        organisation, reference = self.caller.organisation, reference.upper()
        events = Event.objects.filter(reference=reference).order_by("pk")
        steps = [*events[:MAX_EVENTS], *untried_recipients.deferral_events(reference)]
        if organisation is not None:
            steps = trace_visibility.visible_events(steps, organisation)
        if not steps:
            raise Http404
        shown = {
            "reference": reference,
            "sender": _sender(steps),
            "steps": [_step(event) for event in steps],
        }
        return Response(TraceSerializer(shown).data)


def _sender(steps: list[Event]) -> str:
    """The sender, by the acceptance or by the first refusal that names one."""
    received = [e for e in steps if e.kind == EventKind.RECEIVED]
    names = (str(e.detail.get("sender", "")) for e in received or steps)
    return next(filter(None, names), "")


def _step(event: Event) -> dict[str, object]:
    reply = event.detail.get("reply") or event.detail.get("reason") or ""
    times, last_at = repeated(event.detail)
    return {
        "at": event.at,
        "kind": event.kind,
        "recipient": event.recipient,
        "reply": str(reply),
        "times": times,
        "last_at": last_at,
    }
