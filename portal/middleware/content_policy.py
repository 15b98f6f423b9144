"""Which content security policy a page gets."""

from __future__ import annotations

from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponseBase

from portal.configuration.content_security_policy import WAGTAIL_ADMIN
from portal.ui import navigation


class ContentPolicyMiddleware(CSPMiddleware):
    """Gives the admin its own policy, and every other page the one of the settings."""

    def get_policy_parts(
        self,
        request: HttpRequest,
        response: HttpResponseBase,
        report_only: bool = False,
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        is_admin = request.path.startswith(navigation.ADMIN)
        if is_admin and not report_only and parts.config is None:
            parts.config = dict(WAGTAIL_ADMIN)
        return parts
