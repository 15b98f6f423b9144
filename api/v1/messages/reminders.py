"""The reminders of a message: snoozed until a time, or followed up without an answer."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from api.framework.request_validation import (
    RequestSerializer,
    validated,
    validated_query,
)
from api.framework.viewsets import Resource
from api.v1.messages import stored_messages
from engine.audit.record import lock_chain
from engine.registry.models import Person
from engine.registry.scopes import Scope
from engine.storage.models import Message, Reminder, ReminderKind
from engine.storage.organising import assignments, reminders
from portal.webmail.models import ScheduledSend

OF_WHOM = (
    "The id of the person. Only for a group mailbox, where it must be given: a member "
    "who may read it. In a person's own mailbox it is they."
)


class OfPerson(RequestSerializer):
    """Whose reminder it is."""

    person = serializers.IntegerField(required=False, help_text=OF_WHOM)


class SnoozeRequest(OfPerson):
    """Until when a message is snoozed."""

    until = serializers.DateTimeField(help_text="At most a year from now.")


class FollowUpRequest(OfPerson):
    """After how many days without an answer the person is reminded."""

    days = serializers.IntegerField(min_value=1, max_value=365)


class ReminderSerializer(serializers.ModelSerializer[Reminder]):
    """A reminder. `is_due` says that the time has come, and the message back."""

    class Meta:
        model = Reminder
        fields = read_only_fields = ["kind", "due_at", "is_due", "person"]


class RemindersSerializer(serializers.Serializer[Any]):
    """The reminders of a message."""

    results = ReminderSerializer(many=True)


class Reminders(Resource):
    """Snoozing a message, and following up one that was sent.

    A message has at most one reminder of each kind.
    """

    serializer_class = ReminderSerializer
    pagination_class = None
    scopes = {
        "list": Scope.READ_MESSAGES,
        "snooze": Scope.WRITE_MESSAGES,
        "end_snooze": Scope.WRITE_MESSAGES,
        "follow_up": Scope.WRITE_MESSAGES,
        "end_follow_up": Scope.WRITE_MESSAGES,
    }

    def _reminders(self, message: Message) -> QuerySet[Reminder]:
        """Returns what may be seen: in one's own mailbox what is the owner's.

        In a group mailbox snoozed messages are every member's; other reminders are shown
        with whose they are.
        """
        rows = Reminder.objects.filter(message=message)
        owner = message.mailbox.owner_id
        if owner is not None:
            rows = rows.filter(Q(kind=ReminderKind.SNOOZE) | Q(person=owner))
        return rows.order_by("kind")

    def _message(self) -> Message:
        rows = Message.objects.select_related("mailbox__owner", "folder")
        message = get_object_or_404(
            rows.filter(mailbox__in=self.caller.mailboxes(), is_draft=False),
            pk=self.kwargs["message_id"],
        )
        stored_messages.note_opening(message.mailbox, by=self.caller.key)
        return message

    @extend_schema(
        operation_id="reminders_list",
        summary="List a message's reminders",
        responses=RemindersSerializer,
    )
    def list(self, request: Request, message_id: int) -> Response:
        """Returns at most one of each kind."""
        found = {"results": self._reminders(self._message())}
        return Response(RemindersSerializer(found).data)

    @extend_schema(
        operation_id="reminders_snooze",
        summary="Snooze a message",
        request=SnoozeRequest,
    )
    def snooze(self, request: Request, message_id: int) -> Response:
        """Moves the message to Snoozed. It comes back unread at the time given. Again,
        with another time, changes the time.
        """
        message = self._message()
        given = validated(request, SnoozeRequest)
        person = _person(message, given)
        with transaction.atomic():
            lock_chain()  # before every other lock
            reminders.snooze(
                message.mailbox, [message], until=given["until"], by=person
            )
            self._record(message, {"snoozed_until": given["until"].isoformat()})
        return self._answer(message, ReminderKind.SNOOZE)

    @extend_schema(
        operation_id="reminders_end_snooze",
        summary="Bring a snoozed message back",
        responses={status.HTTP_204_NO_CONTENT: None},
    )
    def end_snooze(self, request: Request, message_id: int) -> Response:
        """The message goes back to its folder now."""
        return self._end(self._message(), ReminderKind.SNOOZE)

    @extend_schema(
        operation_id="reminders_follow_up",
        summary="Follow up a message that was sent",
        request=FollowUpRequest,
    )
    def follow_up(self, request: Request, message_id: int) -> Response:
        """Reminds the person, in webmail, if nobody has answered after some days. One
        person has the reminder of a message: 409 where it is another's.
        """
        message = self._message()
        given = validated(request, FollowUpRequest)
        person = _person(message, given)
        with transaction.atomic():
            lock_chain()
            reminders.follow_up(
                message,
                days=given["days"],
                by=person,
                leaves_at=ScheduledSend.objects.leaving_of(message),
            )
            self._record(message, {"followed_up_after": given["days"]})
        return self._answer(message, ReminderKind.FOLLOW_UP)

    @extend_schema(
        operation_id="reminders_end_follow_up",
        summary="End a follow-up",
        parameters=[OfPerson],
        responses={status.HTTP_204_NO_CONTENT: None},
    )
    def end_follow_up(self, request: Request, message_id: int) -> Response:
        """Ends the reminder of the person; 404 where it is another's."""
        message = self._message()
        person = _person(message, validated_query(request, OfPerson))
        return self._end(message, ReminderKind.FOLLOW_UP, person=person)

    def _end(self, message: Message, kind: ReminderKind, **of: Person) -> Response:
        rows = self._reminders(message).select_related("folder", "mailbox")
        reminder = get_object_or_404(rows, kind=kind, **of)
        with transaction.atomic():
            lock_chain()
            reminders.cancel(reminder)
            self._record(message, {"ended": kind})
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _answer(self, message: Message, kind: ReminderKind) -> Response:
        made = Reminder.objects.get(message=message, kind=kind)
        return Response(ReminderSerializer(made).data)

    def _record(self, message: Message, detail: dict[str, object]) -> None:
        stored_messages.record_change(message, detail, by=self.caller.key)


def _person(message: Message, given: dict[str, Any]) -> Person:
    """Returns whose reminder it is. Raises ValidationError."""
    owner = message.mailbox.owner
    wanted = given.get("person")
    if owner is not None:
        if wanted not in (None, owner.pk):
            raise ValidationError({"person": ["The mailbox is another person's."]})
        return owner
    for member in assignments.members(message.mailbox):
        if member.pk == wanted:
            return member
    raise ValidationError(
        {"person": ["Give the id of a member who may read the mailbox."]}
    )
