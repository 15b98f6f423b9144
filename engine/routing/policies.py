"""Send and post policies: who may send as which address, and write to which list.

Each check raises PermanentFailure with a reply that says what to do; `can_…` is the same
question, answered yes or no.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from engine.mail import automatic_answers, role_addresses, smtp_replies
from engine.mail.address import Address
from engine.mail.errors import MailError, PermanentFailure
from engine.mail.header import HeaderBlock
from engine.registry.models import Posting
from engine.routing.facts import ConnectionFacts, ListFacts, Route, RouteKind
from engine.routing.snapshot import Routes

Question = ParamSpec("Question")


def _as_question(check: Callable[Question, None]) -> Callable[Question, bool]:
    """Turns a check that raises into the same question, answered yes or no."""

    @wraps(check)
    def answer(*args: Question.args, **kwargs: Question.kwargs) -> bool:
        try:
            check(*args, **kwargs)
        except MailError:
            return False
        return True

    return answer


def check_can_send_as(routes: Routes, *, person_id: int, address: Address) -> None:
    """Checks that an address is the person's own or one they may send from.

    A group mailbox counts while it is active and grants them the right to send. With each
    count the addresses `name+detail` whose mail arrives there. Raises PermanentFailure
    (550 5.7.1).
    """
    if _mailbox_key(routes, address) not in routes.person_senders(person_id):
        raise PermanentFailure(
            smtp_replies.SENDER_NOT_ALLOWED.saying(
                f"You may not send as <{address}>; use your own address "
                "or that of a group mailbox you may send from"
            )
        )


def check_key_can_send_as(
    routes: Routes, organisation_id: int | None, *, address: Address
) -> None:
    """Checks that an API key sends from a mailbox of its organisation that is kept here.

    Addresses `name+detail` count as for people. Raises PermanentFailure (550 5.7.1);
    always for a key without an organisation.
    """
    key = _mailbox_key(routes, routes.domains.to_community(address))
    if not routes.is_mailbox_of(organisation_id, key):
        raise PermanentFailure(
            smtp_replies.SENDER_NOT_ALLOWED.saying(
                f"This key may not send as <{address}>; use the address of a mailbox "
                "of its organisation that is kept here"
            )
        )


def check_is_of_mailbox(
    routes: Routes, *, mailbox_id: int, own: Address, address: Address
) -> None:
    """Checks that an address is the mailbox's own, or one with a detail.

    Raises PermanentFailure (550 5.7.1).
    """
    if address.key != own.key and routes.mailbox_of_detail(address) != mailbox_id:
        raise PermanentFailure(
            smtp_replies.SENDER_NOT_ALLOWED.saying(
                f"<{address}> is not an address of the mailbox <{own}>; use its own, "
                "or one with a + and any word before the @ that is no one else's"
            )
        )


def _mailbox_key(routes: Routes, address: Address) -> str:
    """Returns the key of the mailbox that `name+detail` arrives in; else the address's."""
    if routes.mailbox_of_detail(address) is None:
        return address.key
    return role_addresses.without_detail(address).key


def check_connection_can_send_as(
    routes: Routes, *, connection: ConnectionFacts, address: Address
) -> None:
    """Checks that an address is in a domain of the connection's organisation.

    Raises PermanentFailure (550 5.7.1), for a suspended person's address too.
    """
    if not connection.domains.covers(address):
        raise PermanentFailure(
            smtp_replies.SENDER_NOT_ALLOWED.saying(
                f"<{address}> is not an address of {connection.organisation_name}; "
                "send from one of your own domains"
            )
        )
    if routes.is_suspended_key(connection.domains.to_community(address).key):
        raise PermanentFailure(
            smtp_replies.SENDER_NOT_ALLOWED.saying(
                f"The account of <{address}> is suspended; ask your administrator"
            )
        )


def check_can_reach(routes: Routes, route: Route, *, sender: Address | None) -> None:
    """Checks that a route is not a list that keeps the sender out.

    A list that somebody made of postmaster@ or abuse@ keeps out nobody who has an address
    in the community. Raises PermanentFailure (550 5.7.2).
    """
    if route.kind is RouteKind.BOUNCES:
        _check_is_notice(route, sender)
        return
    if route.is_role and sender is not None and routes.is_inside(sender):
        return
    facts = None if route.list_id is None else routes.list(route.list_id)
    if facts is not None:
        check_can_post(routes, facts, sender=sender)


def check_can_post(
    routes: Routes, distribution_list: ListFacts, *, sender: Address | None
) -> None:
    """Checks that a list's posting policy admits the sender, in community form.

    The null sender may post to no list: a notice never multiplies. Raises
    PermanentFailure (550 5.7.2).
    """
    if sender is None or not _admits(routes, distribution_list, sender):
        raise PermanentFailure(
            smtp_replies.POSTING_NOT_ALLOWED.saying(
                f"You may not write to the list <{distribution_list.address}>: it is "
                f"for {_WHO[distribution_list.posting]}; ask the administrator of its organisation"
            )
        )


def check_can_send_on(header: HeaderBlock, *, sender: Address | None) -> None:
    """Checks that a message to a list was not written by a program by itself.

    One absence would otherwise be told to hundreds, and two lists could answer each other
    without end (RFC 3834 §4). Raises PermanentFailure (550 5.7.2).
    """
    mark = automatic_answers.mark_of(header) or ("" if sender else "a null sender")
    if mark:
        raise PermanentFailure(
            smtp_replies.POSTING_NOT_ALLOWED.saying(
                f"A list takes no automatic message ({mark}); "
                "send it to people at their own addresses"
            )
        )


def check_can_pass_on(
    routes: Routes, distribution_list: ListFacts, route: Route
) -> None:
    """Checks that a list may reach a member which is itself a list.

    The member's posting policy may be stricter now than when it became one. Raises
    PermanentFailure (550 5.7.2).
    """
    if route.kind is RouteKind.BOUNCES:
        _check_is_notice(route, distribution_list.address)
    inner = None if route.list_id is None else routes.list(route.list_id)
    if inner is None or inner.organisation_id == distribution_list.organisation_id:
        return
    check_can_post(routes, inner, sender=distribution_list.address)


def _check_is_notice(route: Route, sender: Address | None) -> None:
    if sender is not None:
        raise PermanentFailure(
            smtp_replies.POSTING_NOT_ALLOWED.saying(
                f"<{route.address}> takes only notices about mail that could not be "
                "delivered; write to the list or to a person"
            )
        )


def _admits(routes: Routes, distribution_list: ListFacts, sender: Address) -> bool:
    # Members and posters are held in community form; an envelope may have the other.
    sender = routes.domains.to_community(sender)
    organisation_id = routes.organisation_of(sender)
    match distribution_list.posting:
        case Posting.MEMBERS:
            return sender.key in distribution_list.members
        case Posting.ORGANISATION:
            return organisation_id == distribution_list.organisation_id
        case Posting.COMMUNITY:
            return organisation_id is not None
        case Posting.NAMED:
            return sender.key in distribution_list.posters


_WHO = {
    Posting.MEMBERS: "its members only",
    Posting.ORGANISATION: "the people of its organisation only",
    Posting.COMMUNITY: "members of this community only",
    Posting.NAMED: "named people only",
}

can_send_as = _as_question(check_can_send_as)
can_key_send_as = _as_question(check_key_can_send_as)
can_connection_send_as = _as_question(check_connection_can_send_as)
can_reach = _as_question(check_can_reach)
can_pass_on = _as_question(check_can_pass_on)
can_post = _as_question(check_can_post)
