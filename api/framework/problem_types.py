"""The types of problem details (RFC 9457 §3.1.1), and the page that explains each."""

from __future__ import annotations

from enum import Enum
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from engine.registry.permissions.view_guards import public

PAGE = "/api/problems"


class ProblemType(Enum):
    """A kind of error that the API answers with.

    The values are part of URIs that clients compare: never change one.
    """

    INVALID_REQUEST = "invalid-request"
    INVALID_FIELDS = "invalid-fields"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    METHOD_NOT_ALLOWED = "method-not-allowed"
    NOT_ACCEPTABLE = "not-acceptable"
    CONFLICT = "conflict"
    MESSAGE_REFUSED = "message-refused"
    REQUEST_IN_PROGRESS = "request-in-progress"
    IDEMPOTENCY_KEY_REUSED = "idempotency-key-reused"
    CHANGED_SINCE_READ = "changed-since-read"
    TOO_LARGE = "too-large"
    UNSUPPORTED_CONTENT = "unsupported-content"
    TOO_MANY_REQUESTS = "too-many-requests"
    SENDING_RATE = "sending-rate"
    FAULT = "fault"
    UNAVAILABLE = "unavailable"

    @property
    def uri(self) -> str:
        """The `type` of a problem: where the page explains it."""
        return f"{settings.POSTERN.site_url}{PAGE}#{self.value}"

    @property
    def title(self) -> str:
        """The `title`, which is the same for every occurrence."""
        return TEXTS[self][0]

    @property
    def meaning(self) -> str:
        """Why the API answers with it."""
        return TEXTS[self][1]

    @property
    def advice(self) -> str:
        """What the client does about it."""
        return TEXTS[self][2]


TEXTS = {
    ProblemType.INVALID_REQUEST: (
        "The request cannot be read",
        "Its body is not JSON, is nested too deeply, or is not what its Content-Type says.",
        "Correct the request; repeating it unchanged changes nothing.",
    ),
    ProblemType.INVALID_FIELDS: (
        "Some fields are not valid",
        (
            "A field is missing, unknown, of another type or outside its limits. “errors” has "
            "a JSON pointer (RFC 6901) and a sentence for each."
        ),
        "Correct the fields that “errors” names. The Idempotency-Key can be used again.",
    ),
    ProblemType.UNAUTHENTICATED: (
        "A valid key or token is missing",
        (
            "The request has no “Authorization: Bearer”, or its key or token is not known, has "
            "expired or was revoked."
        ),
        "Get another token, or ask an administrator of the organisation for a new key.",
    ),
    ProblemType.FORBIDDEN: (
        "The key may not do this",
        "The key, or the token, lacks the scope that “detail” names.",
        "Make a key with that scope on the organisation's API page.",
    ),
    ProblemType.NOT_FOUND: (
        "Not found",
        (
            "The address does not exist, or what it names is gone or belongs to another "
            "organisation, which the answer does not tell apart."
        ),
        "Check the path and the ids in it, and which organisation the key is of.",
    ),
    ProblemType.METHOD_NOT_ALLOWED: (
        "The method is not allowed here",
        "The address exists, and takes other methods.",
        "Use one of the methods in “Allow”.",
    ),
    ProblemType.NOT_ACCEPTABLE: (
        "The answer has no such form",
        "The operation cannot answer in a type that “Accept” names.",
        "Accept application/json and application/problem+json.",
    ),
    ProblemType.CONFLICT: (
        "This is not possible in the current state",
        "A rule, or the state of what is changed, is against it; “detail” says which.",
        "Do what “detail” says. Read the resource again before you repeat the change.",
    ),
    ProblemType.MESSAGE_REFUSED: (
        "The message was refused",
        (
            "The sender may not use that address, a recipient cannot be reached, or the "
            "content is infected, forbidden or too large. Nothing was sent."
        ),
        "Do what “detail” says; the preflight operation finds most of this beforehand.",
    ),
    ProblemType.REQUEST_IN_PROGRESS: (
        "The first request is still in progress",
        "Another request with this Idempotency-Key has not been answered yet.",
        "Repeat the request in a moment: it gets the answer to the first.",
    ),
    ProblemType.IDEMPOTENCY_KEY_REUSED: (
        "The Idempotency-Key was used for another request",
        "Another method, address or body came with this key within 24 hours.",
        "Choose a new key for each request that is not a repetition.",
    ),
    ProblemType.CHANGED_SINCE_READ: (
        "This has changed since you read it",
        "“If-Match” names an earlier version.",
        "Read it again, and decide again; then send the new ETag.",
    ),
    ProblemType.TOO_LARGE: (
        "The request is too large",
        "The body is larger than the operation takes.",
        "Send a smaller one, or several.",
    ),
    ProblemType.UNSUPPORTED_CONTENT: (
        "The body is in a form that is not read here",
        "The operation does not take the request's Content-Type.",
        "Send one of the types that the OpenAPI document names, mostly application/json.",
    ),
    ProblemType.TOO_MANY_REQUESTS: (
        "Too many requests",
        "The key has used up its requests of this minute.",
        "Wait as many seconds as “Retry-After” says.",
    ),
    ProblemType.SENDING_RATE: (
        "Too many messages",
        "The sender has used up a sending rate, which “detail” names.",
        "Wait as many seconds as “Retry-After” says, or ask the helpdesk for a higher rate.",
    ),
    ProblemType.FAULT: (
        "A fault of the service",
        "Something went wrong here. It has been recorded.",
        "Repeat the request later, with the same Idempotency-Key.",
    ),
    ProblemType.UNAVAILABLE: (
        "Temporarily unavailable",
        "The service cannot do this at the moment.",
        (
            "Repeat the request later, after “Retry-After” seconds where the answer has it, with "
            "the same Idempotency-Key."
        ),
    ),
}
# Of errors that name no type themselves.
OF_STATUS = {
    HTTPStatus.BAD_REQUEST: ProblemType.INVALID_REQUEST,
    HTTPStatus.UNAUTHORIZED: ProblemType.UNAUTHENTICATED,
    HTTPStatus.FORBIDDEN: ProblemType.FORBIDDEN,
    HTTPStatus.NOT_FOUND: ProblemType.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED: ProblemType.METHOD_NOT_ALLOWED,
    HTTPStatus.NOT_ACCEPTABLE: ProblemType.NOT_ACCEPTABLE,
    HTTPStatus.CONFLICT: ProblemType.CONFLICT,
    HTTPStatus.PRECONDITION_FAILED: ProblemType.CHANGED_SINCE_READ,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ProblemType.TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: ProblemType.UNSUPPORTED_CONTENT,
    HTTPStatus.UNPROCESSABLE_ENTITY: ProblemType.IDEMPOTENCY_KEY_REUSED,
    HTTPStatus.TOO_MANY_REQUESTS: ProblemType.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE: ProblemType.UNAVAILABLE,
}


def type_of_status(status: HTTPStatus) -> ProblemType:
    """Returns the type of an error of which only the status is known."""
    return OF_STATUS.get(status, ProblemType.FAULT)


@public
@require_GET
def problems(request: HttpRequest) -> HttpResponse:
    """Explains every type of problem, and what to do about it."""
    return render(request, "api/problems.html", {"types": [*ProblemType]})
