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
DOCUMENT = {
    "OAS_VERSION": "3.1.1",
    "VERSION": "1",
    "COMPONENT_SPLIT_REQUEST": True,
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "PREPROCESSING_HOOKS": ["api.openapi.schema.keep_own_endpoints"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
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
        "EventKind": "engine.trace.models.EventKind",
        "MessageSource": "engine.queue.models.Source",
        "TicketSource": "portal.helpdesk.status.Source",
    },
}
