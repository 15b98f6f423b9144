"""The `webhooks` of the OpenAPI document: each event, and what its call says."""

from __future__ import annotations

from typing import Any

from engine.registry.models import WebhookEvent


def _url(description: str) -> dict[str, Any]:
    return {"type": ["string", "null"], "format": "uri", "description": description}


REFERENCE = {
    "type": "string",
    "description": "The message's reference, by which `/traces` and `/messages` find it.",
}
RECIPIENT = {"type": "string", "description": "The address in the envelope."}
REPLY = {
    "type": "string",
    "description": "The answer of a server, or the reason. Empty where none is known.",
}
TICKET = {
    "ticket": {"type": "integer", "description": "The ticket's id."},
    "number": {"type": "string", "description": "The number that people are shown."},
}
# The fields of `data` besides the organisation, by event.
FIELDS: dict[WebhookEvent, dict[str, Any]] = {
    WebhookEvent.MESSAGE_DELIVERED: {"reference": REFERENCE, "recipient": RECIPIENT},
    WebhookEvent.MESSAGE_DELAYED: {
        "reference": REFERENCE,
        "recipient": RECIPIENT,
        "reply": REPLY,
    },
    WebhookEvent.MESSAGE_FAILED: {
        "reference": REFERENCE,
        "recipient": RECIPIENT,
        "reply": REPLY,
    },
    WebhookEvent.MESSAGE_REFUSED: {
        "reference": REFERENCE,
        "sender": {"type": "string", "description": "Empty for the null sender."},
        "recipient": {
            "type": "string",
            "description": "Empty where the message was refused before it had one.",
        },
        "reply": REPLY,
    },
    WebhookEvent.MESSAGE_RECALLED: {
        "reference": REFERENCE,
        "recipient": RECIPIENT,
        "mailbox": {
            "type": ["integer", "null"],
            "description": "The mailbox that it was taken out of, where that is one of "
            "yours.",
        },
        "message": {
            "type": ["integer", "null"],
            "description": "The id that it had there.",
        },
    },
    WebhookEvent.MESSAGE_RECEIVED: {
        "reference": REFERENCE,
        "recipient": RECIPIENT,
        "mailbox": {
            "type": ["integer", "null"],
            "description": "The mailbox that it came into.",
        },
        "message": {
            "type": ["integer", "null"],
            "description": "Its id for `/messages/{id}`, where the key opens that mailbox.",
        },
        "message_url": _url("Where the API has its text, recipients and attachments."),
        "raw_url": _url("Where the API has the whole message (RFC 5322)."),
        "trace_url": {
            "type": "string",
            "format": "uri",
            "description": "Where the API says what happened to it.",
        },
    },
    WebhookEvent.TICKET_CREATED: TICKET,
    WebhookEvent.TICKET_REPLIED: TICKET,
    WebhookEvent.TICKET_SOLVED: TICKET,
}
TEXTS = {
    WebhookEvent.MESSAGE_DELIVERED: "It is in a mailbox here, or the recipient's own "
    "server took it. Called once for each recipient.",
    WebhookEvent.MESSAGE_DELAYED: "Called once for each recipient, when the first attempt "
    "did not succeed or the recipient's server is known to be down. Delivered or failed "
    "follows.",
    WebhookEvent.MESSAGE_FAILED: "The sender has been sent a report. Called once for each "
    "recipient.",
    WebhookEvent.MESSAGE_REFUSED: "Nothing was kept. The reference is the one that the "
    "reply quotes.",
    WebhookEvent.MESSAGE_RECALLED: "Called once for each recipient: for the "
    "organisation that sent the message, and for the one whose mailbox had it.",
    WebhookEvent.MESSAGE_RECEIVED: "Called once for each recipient. Two addresses of one "
    "mailbox share one message.",
}
HEADERS = {
    "webhook-id": "The same whenever this call is repeated: keep it, and ignore a call "
    "that you have had.",
    "webhook-timestamp": "Seconds since 1970.",
    "webhook-signature": "As in Standard Webhooks 1.0, with the endpoint's secret.",
}


def section() -> dict[str, Any]:
    """Returns the section, by name of the event."""
    return {str(event): {"post": _operation(event)} for event in WebhookEvent}


def _operation(event: WebhookEvent) -> dict[str, Any]:
    return {
        "operationId": f"webhook_{event.name.lower()}",
        "summary": str(event.label),
        "description": TEXTS.get(event, ""),
        "parameters": [
            {
                "name": name,
                "in": "header",
                "required": True,
                "description": text,
                "schema": {"type": "string"},
            }
            for name, text in HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _body(event)}},
        },
        "responses": {
            "2XX": {
                "description": "Accepted. Any other answer is a reason to call again."
            },
            "410": {"description": "Switches the endpoint off."},
        },
        "security": [{}],
    }


def _body(event: WebhookEvent) -> dict[str, Any]:
    data = {
        "organisation": {
            "type": ["integer", "null"],
            "description": "The organisation that it concerns.",
        },
        **FIELDS[event],
    }
    return {
        "type": "object",
        "required": ["type", "test", "timestamp", "data"],
        "properties": {
            "type": {"type": "string", "const": str(event)},
            "test": {
                "type": "boolean",
                "description": "Whether it happened in the sandbox, to a test key's message.",
            },
            "timestamp": {"type": "string", "format": "date-time"},
            "data": {"type": "object", "required": list(data), "properties": data},
        },
    }
