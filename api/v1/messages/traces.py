"""The trace of a message: every step of its delivery, for each recipient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.auth.caller import Caller
from api.framework.viewsets import Resource
from api.sandbox import reading
from engine.queue.delivery import untried_recipients
from engine.queue.delivery_status import one_message
from engine.queue.delivery_status.one_message import Delivery
from engine.queue.delivery_status.states import DeliveryState, MessageDelivery
from engine.queue.models import QueuedMessage
from engine.registry.models import Organisation
from engine.registry.scopes import Scope
from engine.trace import timeline
from engine.trace.models import Event, EventKind
from engine.trace.timeline import Visibility
from portal.organisation.mail import trace_visibility

# Events shown of one message: a list may have thousands of members.
MAX_EVENTS = 5000


class StepSerializer(serializers.Serializer[Any]):
    """One step of a message, for one recipient."""

    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=EventKind.choices)
    recipient = serializers.CharField(allow_blank=True)
    text = serializers.CharField(help_text="What happened, in words.")
    reply = serializers.CharField(
        allow_blank=True, help_text="The reply of the next server, or the reason."
    )
    advice = serializers.CharField(
        allow_blank=True, help_text="What can be done about it, where something can."
    )
    times = serializers.IntegerField(
        help_text="How often it happened: repeated deferrals are one step."
    )
    last_at = serializers.DateTimeField(
        allow_null=True, help_text="The last time, where it happened more than once."
    )


class RecipientDeliverySerializer(serializers.Serializer[Any]):
    """What became of the copy for one recipient."""

    recipient = serializers.CharField(source="address")
    state = serializers.ChoiceField(choices=DeliveryState.choices)
    at = serializers.DateTimeField(
        allow_null=True, help_text="When that was; null while it is not final."
    )
    next_attempt_at = serializers.DateTimeField(
        allow_null=True, help_text="null where it is final, held, or due already."
    )
    why = serializers.CharField(
        allow_blank=True,
        help_text="Why it waits, was returned or could not be recalled, in words.",
    )


class TraceSerializer(serializers.Serializer[Any]):
    """What became of one message, and its steps."""

    reference = serializers.CharField()
    sender = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(
        choices=DeliveryState.choices,
        help_text="Of the message as a whole. `delivered` says that the mailbox or the "
        "recipient's server has it, not that it was read.",
    )
    accepted_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(
        allow_null=True, help_text="When what still waits is returned."
    )
    recipients = RecipientDeliverySerializer(many=True)
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
        if self.caller.is_test:
            return Response(TraceSerializer(_in_sandbox(self.caller, reference)).data)
        events = Event.objects.filter(reference=reference).order_by("pk")
        steps = [*events[:MAX_EVENTS], *untried_recipients.deferral_events(reference)]
        if organisation is not None:
            steps = trace_visibility.visible_events(steps, organisation)
        if not steps:
            raise Http404
        is_staff = organisation is None
        shown = trace_of(
            reference,
            steps,
            _delivery(reference, steps, organisation),
            Visibility.STAFF if is_staff else Visibility.MEMBER,
        )
        return Response(TraceSerializer(shown).data)


def trace_of(
    reference: str,
    steps: Sequence[Event],
    delivery: Delivery | None,
    visibility: Visibility,
) -> dict[str, object]:
    """Returns the data for TraceSerializer."""
    message = delivery.message if delivery else MessageDelivery()
    return {
        "reference": reference,
        "sender": _sender(steps),
        "state": message.state,
        "accepted_at": message.since,
        "expires_at": None if message.is_final else message.until,
        "recipients": delivery.recipients if delivery else (),
        "steps": [_step(event, visibility) for event in steps],
    }


def _in_sandbox(caller: Caller, reference: str) -> dict[str, object]:
    """Returns what has happened to a test key's message. Raises Http404."""
    return sandbox_trace(reference, reading.steps_of_reference(caller, reference))


def sandbox_trace(reference: str, steps: Sequence[Event]) -> dict[str, object]:
    """Returns the data for TraceSerializer of a message that is not real."""
    followed = one_message.from_events(steps)
    return trace_of(reference, steps, followed, Visibility.MEMBER)


def _delivery(
    reference: str, steps: Sequence[Event], organisation: Organisation | None
) -> Delivery | None:
    queued = QueuedMessage.objects.filter(reference=reference).first()
    if queued is None:
        return one_message.from_events(steps)
    delivery = one_message.from_queue(queued)
    if organisation is None:
        return delivery
    is_visible = partial(
        trace_visibility.can_see_outcome, steps[0], organisation=organisation
    )
    return delivery.restricted_to(is_visible)


def _sender(steps: Sequence[Event]) -> str:
    """The sender, by the acceptance or by the first refusal that names one."""
    received = [e for e in steps if e.kind == EventKind.RECEIVED]
    names = (str(e.detail.get("sender", "")) for e in received or steps)
    return next(filter(None, names), "")


def _step(event: Event, visibility: Visibility) -> dict[str, object]:
    return {"kind": event.kind, **asdict(timeline.step(event, visibility))}
