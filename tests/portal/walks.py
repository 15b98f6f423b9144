"""The screens that each kind of visitor walks through; every screen is in one walk.

Paths without arguments only; the tests of a room cover screens of a message, person or
ticket.
"""

from __future__ import annotations

VISITOR = (
    "/",
    "/help/",
    "/terms/",
    "/privacy/",
    "/attachments/",
    "/cookies/",
    "/accessibility/",
    "/certificates/",
    "/security/",
    "/mail/offline/",
    "/server-or-webmail/",
    "/status/",
    "/guides/search/",
    "/guides/thanks/",
)
STRANGER = (
    "/account/login/",
    "/account/inactive/",
    "/account/directory-sign-in/",
    "/account/password/reset/",
    "/account/password/reset/done/",
    "/account/password/reset/key/done/",
    "/apply/first-sign-in/",
)
MEMBER = (
    "/account/",
    "/account/entry/",
    "/account/everyday-address/",
    "/account/everyday-address/change/",
    "/account/logout/",
    "/account/password/change/",
    "/account/app-passwords/",
    "/account/sessions/",
    "/account/sessions/everywhere/",
    "/account/openings/",
    "/account/second-factor/",
    "/account/second-factor/totp/deactivate/",
    "/account/second-factor/passkeys/",
    "/account/second-factor/recovery-codes/generate/",
    "/emergency-access/",
    "/organisation/",
)
NEW_ADMINISTRATOR = (
    "/account/second-factor/",
    "/account/second-factor/totp/activate/",
    "/account/second-factor/passkeys/add/",
)
ADMINISTRATOR = (
    "",
    "people/",
    "people/add/",
    "people/file/",
    "people/recovery/",
    "mailboxes/",
    "mailboxes/add/",
    "lists/",
    "lists/add/",
    "trace/",
    "api/",
    "api/keys/add/",
    "api/webhooks/add/",
    "settings/",
    "security/",
    "deleted-mail/",
    "history/",
)
"""Each under the path of the organisation."""
READER = ("/mail/write/",)
WRITER = (
    "/mail/contacts/",
    "/mail/contacts/add/",
    "/mail/contacts/groups/add/",
    "/mail/contacts/import/",
    "/mail/all/",
    "/mail/arrival-notices/",
    "/mail/reading/",
    "/mail/writing/",
    "/mail/writing/templates/add/",
    "/mail/scheduled/",
)
SEARCHER = ("/directory/",)
STRANGER_IN_NEED = ("/help/ask/", "/help/ask/done/")
REQUESTER = ("/help/tickets/", "/help/tickets/new/")
AGENT = (
    "/admin/tickets/",
    "/admin/tickets/mail/",
    "/admin/tickets/call/",
    "/admin/tickets/canned/",
    "/admin/tickets/canned/new/",
    "/admin/tickets/reports/",
)
OPERATOR = (
    "/admin/",
    "/admin/search/",
    "/admin/organisations/",
    "/admin/organisations/add/",
    "/admin/people/",
    "/admin/people/staff/add/",
    "/admin/people/recovery/",
    "/admin/health/",
    "/admin/notices/",
    "/admin/notices/add/",
    "/admin/queue/",
    "/admin/queue/destinations/",
    "/admin/sending-rates/",
    "/admin/sending-rates/give/",
    "/admin/sending-stops/",
    "/admin/sending-stops/add/",
    "/admin/delivered/",
    "/admin/withdrawals/",
    "/admin/withdrawals/ask/",
    "/admin/rescans/",
    "/admin/rescans/start/",
    "/admin/trace/",
    "/admin/trace/strangers/",
    "/admin/quarantine/",
    "/admin/outbox/",
    "/admin/api-keys/",
    "/admin/api-keys/add/",
    "/admin/signing-keys/",
    "/admin/signing-keys/replace/",
    "/admin/jobs/",
)
AUDITOR = ("/admin/audit/",)
OFFICER = ("/admin/applications/",)
EDITOR = ("/admin/guides/", "/admin/guides/feedback/")
WALKS = (
    VISITOR,
    STRANGER,
    MEMBER,
    NEW_ADMINISTRATOR,
    READER,
    WRITER,
    SEARCHER,
    STRANGER_IN_NEED,
    REQUESTER,
    AGENT,
    OPERATOR,
    AUDITOR,
    OFFICER,
    EDITOR,
)
# Reached step by step, in the test in that file.
REACHED_BY_HAND = {
    "/mail/writing/templates/add/organisation/": (
        "tests/portal/webmail/compose/test_text_templates.py"
    ),
    "/account/second-factor/authenticate/": "tests/portal/test_accessibility.py",
    "/account/second-factor/reauthenticate/": "tests/portal/test_accessibility.py",
    "/account/second-factor/recovery-codes/": "tests/portal/test_accessibility.py",
    "/admin/audit/verify/": "tests/journeys/test_screens.py",
    "/apply/": "tests/onboarding/test_in_browser.py",
    "/apply/eligibility/": "tests/onboarding/test_in_browser.py",
    "/apply/email/": "tests/onboarding/test_in_browser.py",
    "/apply/email/sent/": "tests/onboarding/test_in_browser.py",
    "/apply/tasks/": "tests/onboarding/test_in_browser.py",
    "/apply/check/": "tests/onboarding/test_in_browser.py",
    "/apply/confirmation/": "tests/onboarding/test_in_browser.py",
    "/apply/progress/": "tests/onboarding/test_in_browser.py",
    "/apply/progress/signatory/": "tests/onboarding/test_in_browser.py",
    "/apply/progress/sponsor/": "tests/onboarding/test_in_browser.py",
    "/apply/withdraw/": "tests/onboarding/test_in_browser.py",
    "/apply/letter/": "tests/onboarding/test_in_browser.py",
}
# These render no page of their own.
NOT_SCREENS = {
    "/.well-known/security.txt": "a text file",
    "/account/everyday-address/refuse/": "leads back",
    "/account/password/set/": "leads on to choosing one by mail",
    "/account/reauthenticate/": "leads on to the second factor or the password",
    "/account/second-factor/passkeys/login/": "takes what the browser signed",
    "/account/second-factor/passkeys/reauthenticate/": "takes what the browser signed",
    "/account/second-factor/recovery-codes/download/": "a text file",
    "/account/signup/": "leads on to applying",
    "/admin/account/": "leads on to the account",
    "/admin/applications/results/": "answers a script",
    "/admin/audit/entries.csv": "a spreadsheet",
    "/admin/login/": "leads on to signing in",
    "/admin/logout/": "signs out",
    "/admin/queue/do/": "leads back where nobody is chosen",
    "/admin/test404/": "not there",
    "/admin/tickets/reports/weeks.csv": "a spreadsheet",
    "/apply/ca.pem": "a certificate",
    "/apply/letter/new/": "takes an order",
    "/apply/progress/terms.pdf": "a letter",
    "/admin/tickets/bulk/": "takes an order",
    "/certificates/keys.json": "a list for programs",
    "/health/live": "answers machines",
    "/health/ready": "answers machines",
    "/mail/": "leads on to the Inbox",
    "/mail/all/act/": "takes an order",
    "/mail/arrival-notices/link/": "takes an order",
    "/mail/contacts/suggest/": "answers a script",
    "/mail/deliveries/": "answers a script",
    "/mail/live/events/": "answers a script",
    "/mail/live/numbers/": "answers a script",
    "/mail/reading/density/": "takes an order",
    "/mail/manifest.webmanifest": "answers the browser",
    "/mail/service-worker.js": "answers the browser",
    "/metrics": "a text file for Prometheus",
    "/start/": "leads on to where one works",
}
