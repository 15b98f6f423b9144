"""The cookies and retention periods that the public pages list."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie, why it is set, and when it expires."""

    name: str
    purpose: str
    ends: str


@dataclass(frozen=True, slots=True)
class Record:
    """A kind of stored data, and how long it is kept."""

    what: str
    how_long: str


COOKIES = (
    Cookie(
        "sessionid",
        "Keeps you signed in",
        "When you close the browser, when you do not use the service for 2 hours, or "
        "after 12 hours",
    ),
    Cookie(
        "known_browser",
        "Shows that you signed in with this browser before, so that other people’s "
        "wrong passwords cannot lock you out",
        "After 180 days, or when you sign out everywhere",
    ),
    Cookie(
        "csrftoken", "Proves that a form was sent from our own page", "After 1 year"
    ),
    Cookie(
        "messages",
        "Shows on the next page that an action was completed",
        "When you close the browser; it is emptied once the message was shown",
    ),
)
RECORDS = (
    Record("Your account and directory entry", "As long as your organisation keeps it"),
    Record("Attempts to sign in, with the exact network address", "90 days"),
    Record(
        "Messages in your mailbox",
        "Until you or your organisation delete them; Deleted and Junk are emptied "
        "after the days that your organisation sets, 30 at first",
    ),
    Record(
        "Messages that were recalled or withdrawn from your mailbox",
        "As long as your organisation keeps Deleted, and at least 30 days",
    ),
    Record(
        "Messages on their way", "Up to 48 hours, and 7 days in the queue’s records"
    ),
    Record(
        "What happened to each message, without its content",
        "As long as the service runs, as proof of delivery",
    ),
    Record(
        "Digests by which operators find a harmful message again, without its content",
        "1 year",
    ),
    Record(
        "The audit trail, with sign-ins by network and browser",
        "As long as the service runs",
    ),
    Record("Who opened your mailbox besides you, as listed in your account", "1 year"),
    Record("Questions to the helpdesk, and our answers", "As long as the service runs"),
    Record("An application that was started and not submitted", "90 days"),
    Record(
        "An application that was sent, and terms that were signed",
        "As long as the service runs",
    ),
    Record("Infected messages in quarantine", "Until an operator deletes them"),
    Record(
        "Delivery certificates that you made, without the messages’ content",
        "As long as the records of the messages themselves",
    ),
    Record(
        "What others opened of your mailbox under emergency access",
        "As long as the service runs",
    ),
    Record("Copies of your mailbox that you asked for", "3 days"),
    Record("Notices that we sent to everyday addresses", "30 days"),
)
