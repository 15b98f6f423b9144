"""What is requested of each list beside its first page: deep pages, filters, searches.

By route, as permissions.txt spells it. Words in braces are filled in by `places.py`.
"""

from __future__ import annotations

QUERIES: dict[str, tuple[str, ...]] = {
    "account/second-factor/passkeys/": (),
    # The console
    "admin/api-keys/": ("p=5",),
    "admin/jobs/": (),
    "admin/people/": (
        "q=smith", "q=jane+kasmith", "q=zzzqq", "q=jane&after={person}",
        "status=suspended", "status=staff", "status=staff&q=oper", "after={person}",
        "before={person}",
    ),
    "admin/organisations/": (
        "q=chambers", "q=o77.", "q=zzzqq", "kind=court&status=suspended", "town=leeds",
        "type=cloud_gateway", "domains=unproved", "connections=faulty",
        "connections=suspended", "after={organisation}",
    ),
    "admin/organisations/<int:pk>/people/": (
        "q=smith", "q=zzzqq", "status=suspended", "status=staff", "after={own_person}",
    ),
    "admin/organisations/<int:pk>/mailboxes/": ("after={team}",),
    "admin/organisations/<int:pk>/lists/": ("after={list}",),
    "admin/organisations/<int:pk>/lists/<int:list_id>/": ("after={member}",),
    "admin/organisations/<int:pk>/tickets/": ("after={ticket}",),
    "admin/organisations/<int:pk>/audit/": (
        "q=suspended", "q=zzzqq", "after={entry}",
    ),
    "admin/organisations/<int:pk>/trace/": (
        "recipient={address}", "sender={sender}", "reference={reference}",
        "since={yesterday}", "since={yesterday}&until={yesterday}",
    ),
    "admin/trace/": (
        "q={address}", "q={sender}", "q={reference}", "q={message_id}", "kind=failed",
        "kind=quarantined", "kind=failed&q={address}", "since={yesterday}",
        "until={yesterday}", "kind=failed&until={yesterday}", "after={event}",
        "kind=held",
    ),
    "admin/tls-reports/": (),
    "admin/trace/strangers/": ("q=198.51.7.7", "q=192.0.2.1"),
    "admin/queue/": (
        "status=held", "status=failed", "sender={sender}", "sender=zzzqq.example",
        "status=failed&sender=zzzqq.example", "recipient={address}",
        "recipient=o0.secure.example", "destination=connection:1007", "hours=24",
        "status=failed&hours=24", "status=failed&destination=connection:1007",
        "after={recipient}",
    ),
    "admin/audit/": (
        "q=suspended", "q=jane", "q=zzzqq", "q=person.suspended", "since={yesterday}",
        "until={yesterday}", "q=zzzqq&since={yesterday}", "after={entry}",
    ),
    "admin/search/": (
        "q=smith", "q=sm", "q=zzzqq", "q={address}", "q=o77.example", "q={reference}",
        "q=chambers",
    ),
    "admin/quarantine/": ("q=eicar", "q={sender}", "q=zzzqq", "after={quarantined}"),
    "admin/tickets/": (
        "view=mine", "view=unassigned", "view=breaching", "view=new", "view=solved",
        "view=closed", "view=closed&before={ticket}",
    ),
    "admin/tickets/mail/": ("all=1", "all=1&p=400", "p=50"),
    "admin/tickets/call/": ("q=smith", "q=zzzqq", "q={address}"),
    "admin/delivered/": (),
    "admin/withdrawals/": (),
    "admin/rescans/": (),
    "admin/applications/": (
        "q=chambers", "q=zzzqq", "status=submitted", "kind=court", "p=100",
    ),
    "admin/applications/results/": ("q=chambers",),
    "admin/notices/": ("p=5",),
    "admin/guides/feedback/": ("show=comments", "p=20"),
    "admin/outbox/": ("p=2",),
    # The organisation's own pages
    "organisation/<int:organisation_id>/api/": (),
    "organisation/<int:organisation_id>/security/": (),
    "organisation/<int:organisation_id>/people/": (
        "q=smith", "q=jane+kasmith", "q=zzzqq", "status=administrators",
        "status=ex-directory", "status=suspended", "after={own_person}",
        "before={own_person}",
    ),
    "organisation/<int:organisation_id>/mailboxes/": ("after={team}",),
    "organisation/<int:organisation_id>/lists/": ("after={list}",),
    "organisation/<int:organisation_id>/lists/<int:list_id>/": ("after={member}",),
    "organisation/<int:organisation_id>/history/": (
        "q=suspended", "q=zzzqq", "after={entry}",
    ),
    "organisation/<int:organisation_id>/trace/": (
        "recipient={address}", "sender={sender}", "reference={reference}",
        "since={yesterday}", "sender={address}&recipient={address}", "shown=received",
        "shown=refused", "reason=address", "reason=zzzqq", "after=500000-1000000",
    ),
    # The directory
    "directory/": (
        "q=smith", "q=jane+smith", "q=sm", "q=zzzqq", "kind=court", "town=Leeds",
        "show=list", "show=group_mailbox", "q=chambers&show=organisation",
        "organisation={organisation}", "organisation={first}&q=smith",
        "q=smith&after={entry_id}",
    ),
    "directory/lists/<int:list_id>/": (),
    "directory/organisations/<int:organisation_id>/": ("after={entry_id}",),
    # Webmail and account
    "mail/": (),
    "mail/mailboxes/<int:mailbox_id>/withdrawn/": (),
    "account/openings/": (),
    "emergency-access/": (),
    "mail/folders/<int:folder_id>/": (
        "order=oldest", "show=unread", "show=flagged", "order=largest",
        "order=smallest", "order=sender", "show=files", "show=large", "show=nobodys",
        "show=mine", "sender={sender}", "order=largest&past={message}",
        "order=sender&past={message}",
    ),
    # The list stands beside the message.
    "mail/messages/<int:message_id>/": ("order=oldest", "show=unread", "q=hearing"),
    "mail/live/folders/<int:folder_id>/": ("since=1", "show=unread&since=1"),
    "mail/live/mailboxes/<int:mailbox_id>/": ("since=1",),
    "mail/live/mailboxes/<int:mailbox_id>/search/": ("q=hearing&since=1",),
    "mail/live/events/": (),
    "mail/live/numbers/": (),
    "mail/mailboxes/<int:mailbox_id>/search/": (
        "q=hearing", "q=zephyr", "q=witness+interpreter", "q=from:jane", "q=interp*",
        "q=is:unread", "q=bundle+-witness", "q=zzzqq", "q=hearing&past={message}",
        "q=in:anywhere+hearing", "q=after:2020-01-01",
    ),
    "mail/contacts/": ("q=smith", "q=zzzqq", "after={contact}"),
    "mail/linked-files/": (),
    "mail/contacts/suggest/": ("q=j", "q=sm", "q=jane+smi", "q=zzzqq"),
    "mail/mailboxes/<int:mailbox_id>/write/<uuid:token>/people/": (
        "q=smith", "q=sm", "q=jane",
    ),
    "help/tickets/": ("before={ticket}",),
    "guides/search/": ("q=mail",),
    # The API, with a key of the community
    "api/v1/organisations/": (
        "limit=200", "status=suspended", "kind=court", "kind=police",
        "cursor={organisation}",
    ),
    "api/v1/domains/": (
        "limit=200", "member_domain=o77.example", "organisation={first}",
    ),
    "api/v1/connections/": ("limit=200", "is_active=false", "organisation={first}"),
    "api/v1/people/": (
        "limit=200", "organisation={first}", "address={address}", "is_active=false",
        "organisation={first}&is_active=false", "cursor={person}",
    ),
    "api/v1/mailboxes/": (
        "limit=200", "kind=group", "organisation={first}&kind=group",
        "address={address}", "cursor={person}",
    ),
    "api/v1/lists/": ("limit=200", "organisation={first}", "cursor={list}"),
    "api/v1/guides/": ("limit=200",),
    "api/v1/lists/<int:list_id>/posters/": ("limit=200",),
    "api/v1/mailboxes/<int:mailbox_id>/folders/": ("limit=200",),
    "api/v1/mailboxes/<int:mailbox_id>/grants/": ("limit=200",),
    "api/v1/lists/<int:list_id>/members/": ("limit=200", "cursor={member}"),
    "api/v1/directory/": ("q=smith", "q=sm", "q=zzzqq"),
    "api/v1/queue/": (
        "limit=200", "status=queued", "status=held", "status=failed", "status=dropped",
        "address={address}", "destination=connection:1007",
        "status=held&destination=connection:1007", "cursor={recipient}",
    ),
    "api/v1/tickets/": (
        "limit=200", "status=new", "category=phishing", "requester={first}",
        "cursor={ticket}",
    ),
    "api/v1/audit/": (
        "limit=200", "event=person.suspended", "event=none.such", "subject_key=1000",
        "subject_kind=registry.person&subject_key=1000", "by_key=1003", "by_key=none",
        "cursor={entry}",
    ),
    "api/v1/applications/": (
        "limit=200", "status=submitted", "account_type=cloud_gateway",
        "reference=0001-AAAA", "cursor={organisation}",
    ),
    "api/v1/webhooks/": ("limit=200",),
    "api/v1/webhooks/<int:endpoint_id>/calls/": ("limit=200", "cursor={call}"),
    "api/v1/messages/": (
        "mailbox={first}&limit=200", "mailbox={first}&cursor={message}",
        "mailbox={first}&folder=sent", "mailbox={first}&q=hearing",
        "mailbox={first}&q=zephyr",
    ),
}  # fmt: skip

# Requested with a key of the first organisation too, which the community's may not do
# or which narrows the rows by another index.
OF_ONE_ORGANISATION = (
    "api/v1/audit/",
    "api/v1/connections/",
    "api/v1/domains/",
    "api/v1/lists/",
    "api/v1/mailboxes/",
    "api/v1/messages/",
    "api/v1/people/",
    "api/v1/tickets/",
    "api/v1/webhooks/",
)
# They answer nothing to a key of the community, or nothing but a refusal.
NOT_OF_THE_COMMUNITY = ("api/v1/messages/",)

_GUIDES = (
    "Wagtail's, of the guides, of which there are a hundred however large the service"
)
_RARE = "of one emergency or withdrawal, or one mailbox like a person's own above"
_NOBODY = "Wagtail's, and no role may open it"
# Lists that have no line above, by what their routes begin with, and why.
WITHOUT_QUERIES = {
    "account/openings/<": _RARE,
    "emergency-access/<": _RARE,
    "mail/withdrawn/<": _RARE,
    "api/v1/messages/<": "a message has at most one reminder of each kind",
    "mail/mailboxes/<int:mailbox_id>/write/<uuid:token>/": (
        "looks for the first ten recipients alone"
    ),
    "admin/forms/": _GUIDES,
    "admin/images/": _GUIDES,
    "admin/pages/": _GUIDES,
    "admin/reports/": _GUIDES,
    "admin/collections/": _NOBODY,
    "admin/documents/": _NOBODY,
    "admin/groups/": _NOBODY,
    "admin/redirects/": _NOBODY,
    "admin/sites/": _NOBODY,
    "admin/snippets/": _NOBODY,
    "admin/users/": _NOBODY,
    "admin/workflows/": _NOBODY,
}
