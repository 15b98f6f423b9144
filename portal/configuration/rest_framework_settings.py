"""Settings of the REST framework and of drf-spectacular."""

from __future__ import annotations

FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["api.auth.bearer.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["api.framework.parsers.BoundedJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "api.framework.pagination.SignedCursorPagination",
    "DEFAULT_FILTER_BACKENDS": ["api.framework.filters.ExactFilter"],
    "DEFAULT_SCHEMA_CLASS": "api.openapi.schema.OperationSchema",
    "EXCEPTION_HANDLER": "api.framework.problems.problem_response",
    "UNAUTHENTICATED_USER": None,
}
TAGS = {
    "applications": "Applications of organisations that want to join.",
    "audit": "Who changed what.",
    "connections": "How organisations hand mail in and get it: servers and gateways.",
    "directory": "The people, mailboxes and lists that a member may write to.",
    "domains": "The domains of organisations, and the proof that they are theirs.",
    "guides": "The guides, as text.",
    "lists": "Distribution lists, their members and who may post.",
    "mailboxes": "Mailboxes, their folders, and who else opens them.",
    "messages": "Messages: sending, searching, reading and filing.",
    "oauth": "Access tokens by OAuth 2.",
    "organisations": "The organisations of the community.",
    "people": "The people of organisations.",
    "queue": "Mail that waits.",
    "tickets": "Questions to the helpdesk.",
    "traces": "What became of messages.",
    "webhooks": "Calls to your own server when something happens.",
}
DOCUMENT = {
    "DESCRIPTION": "Everything that an organisation's own systems may do here, and what "
    "the service tells them. Each request is authorised by an API key, or by a token that "
    "was got with one.",
    "TAGS": [{"name": name, "description": text} for name, text in TAGS.items()],
    "OAS_VERSION": "3.1.1",
    "VERSION": "1",
    "COMPONENT_SPLIT_REQUEST": True,
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "PREPROCESSING_HOOKS": ["api.openapi.schema.keep_own_endpoints"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "api.openapi.schema.leave_out_trailing_slashes",
        "api.openapi.schema.add_problem_responses",
    ],
    "ENUM_NAME_OVERRIDES": {
        "OrganisationKind": "engine.registry.models.Kind",
        "AccountType": "engine.registry.models.AccountType",
        "ConnectionProof": "engine.registry.models.Proof",
        "ServerProof": "api.v1.registry.connections.PROOFS",
        "OrganisationStatus": "engine.registry.models.OrganisationStatus",
        "MailboxKind": "engine.registry.models.MailboxKind",
        "EntryKind": "engine.registry.models.EntryKind",
        "ApplicationStatus": "onboarding.status.Status",
        "RecipientStatus": "engine.queue.models.RecipientStatus",
        "TicketStatus": "portal.helpdesk.status.Status",
        "TicketEntryKind": "portal.helpdesk.status.EntryKind",
        "DeliveryState": "engine.queue.delivery_status.states.DeliveryState",
        "WebhookState": "api.models.WebhookState",
        "EventKind": "engine.trace.models.EventKind",
        "MessageSource": "engine.queue.models.Source",
        "TicketSource": "portal.helpdesk.status.Source",
    },
}
