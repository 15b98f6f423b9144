"""Which content security policy a page gets."""

from __future__ import annotations

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponseBase

from portal.ui import navigation

# Wagtail's admin writes scripts and styles into its pages. Nothing that a member or a
# stranger wrote is ever shown there as HTML.
WAGTAIL_ADMIN = {
    "default-src": [SELF],
    "script-src": [SELF, UNSAFE_INLINE],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:", "blob:"],
    "object-src": [NONE],
    "base-uri": [NONE],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
}


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
