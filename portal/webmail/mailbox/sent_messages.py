"""What became of sent messages: on their rows, on their pages, and as it changes."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from engine.queue.delivery_status import one_message, summaries
from engine.queue.delivery_status.one_message import Delivery
from engine.queue.delivery_status.states import MessageDelivery
from engine.storage.models import FolderRole, Message
from portal.webmail.access import accessible_mailboxes, requires_mail
from portal.webmail.sidebar import sidebar

REFRESHED = 50  # messages in one request of the script
RECIPIENTS_SHOWN = 10  # on the message's own page; the others are on the next

# The form in which a page shows a delivery, by the name that the script asks for.
TEMPLATES = {
    "row": "webmail/mailbox/delivery_rows.html",
    "message": "webmail/mailbox/delivery.html",
    "story": "webmail/mailbox/delivery_story.html",
}


def deliveries_of(messages: Iterable[Message]) -> dict[int, MessageDelivery]:
    """Returns the deliveries of messages in Sent by id, with three queries at most.

    Leaves out those sent before references were kept.
    """
    references = {one.pk: one.reference for one in messages if one.is_sent_copy}
    found = summaries.of_messages(set(references.values()))
    unknown = MessageDelivery()
    return {pk: found.get(name, unknown) for pk, name in references.items()}


@requires_mail
@require_safe
def story(request: HttpRequest, message_id: int) -> HttpResponse:
    """Shows where a sent message has been, step by step."""
    mailboxes = accessible_mailboxes(request)
    access, message = mailboxes.message(message_id)
    delivery = one_message.of_sent_copy(message)
    if delivery is None:
        raise Http404
    context = {
        "sidebar": sidebar(mailboxes, access),
        "folder": message.folder,
        "message": message,
        **story_context(message, delivery),
    }
    return render(request, "webmail/mailbox/delivery_page.html", context)


def story_context(message: Message, delivery: Delivery) -> dict[str, object]:
    """Returns the template context of a delivery and its steps."""
    return {
        "delivery": delivery,
        "shown": delivery.recipients,
        "story": one_message.story(message.reference),
        "is_cut": len(delivery.recipients) >= summaries.LIMIT,
    }


def message_context(message: Message) -> dict[str, object]:
    """Returns the template context of the delivery on a message's page."""
    delivery = one_message.of_sent_copy(message)
    if delivery is None:
        return {}
    shown = delivery.recipients[:RECIPIENTS_SHOWN]
    more = delivery.message.count - len(shown)
    return {"delivery": delivery, "shown": shown, "more": more}


@requires_mail
@require_safe
def refresh(request: HttpRequest) -> HttpResponse:
    """Renders the deliveries of some messages again, for the script of a page.

    `message` names a message, once for each; `as` the form, one of TEMPLATES.
    """
    template = TEMPLATES.get(request.GET.get("as", ""))
    numbers = [text for text in request.GET.getlist("message") if text.isdecimal()]
    if template is None or not numbers:
        raise Http404
    ids = [int(text[:18]) for text in numbers[:REFRESHED]]
    mailboxes = [one.mailbox for one in accessible_mailboxes(request).readable]
    rows = Message.objects.filter(mailbox__in=mailboxes, pk__in=ids)
    messages = list(rows.select_related("folder"))
    if template == TEMPLATES["row"]:
        sent = [one for one in messages if one.folder.role == FolderRole.SENT]
        context = {"messages": sent, "deliveries": deliveries_of(sent)}
        return render(request, template, context)
    message = next(iter(messages), None)
    delivery = one_message.of_sent_copy(message) if message else None
    if message is None or delivery is None:
        raise Http404
    more = (
        story_context(message, delivery)
        if template == TEMPLATES["story"]
        else message_context(message)
    )
    return render(request, template, {"message": message, **more})
