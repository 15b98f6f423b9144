from __future__ import annotations

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.framework.viewsets import Resource
from api.v1.messages.serializers import TraceSerializer
from engine.queue import untried
from engine.registry.scopes import Scope
from engine.trace.models import Event, EventKind
from engine.trace.timeline import repeated
from portal.organisation import knowing

# Of one message; a list may have thousands of members.
MOST_EVENTS = 5000


class Traces(Resource):
    """What happened to each recipient of a message, never what is in it."""

    serializer_class = TraceSerializer
    pagination_class = None
    lookup_field = "reference"
    lookup_value_converter = "str"
    scopes = {"retrieve": Scope.READ_MESSAGES}

    @extend_schema(summary="Follow a message")
    def retrieve(self, request: Request, reference: str) -> Response:
        """The sender's organisation sees every recipient, the others see their own.

        Whom a distribution list reaches is seen by the organisation that owns the list.
        """
        place, reference = self.caller.organisation, reference.upper()
        events = Event.objects.filter(reference=reference).order_by("pk")
        steps = [*events[:MOST_EVENTS], *untried_recipients.events(reference)]
        if place is not None:
            steps = knowing.theirs(steps, place)
        if not steps:
            raise Http404
        shown = {
            "reference": reference,
            "sender": _sender(steps),
            "steps": [_step(event) for event in steps],
        }
        return Response(TraceSerializer(shown).data)


def _sender(steps: list[Event]) -> str:
    received = next((e for e in steps if e.kind == EventKind.RECEIVED), None)
    return str(received.detail.get("sender", "")) if received else ""


def _step(event: Event) -> dict[str, object]:
    said = event.detail.get("reply") or event.detail.get("reason") or ""
    times, last_at = repeated(event.detail)
    return {
        "at": event.at,
        "kind": event.kind,
        "recipient": event.recipient,
        "reply": str(said),
        "times": times,
        "last_at": last_at,
    }
