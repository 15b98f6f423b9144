"""Who may send as whom, and to which list. Each refusal says what to do."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from engine.mail import smtp_replies
from engine.mail.address import Address
from engine.mail.errors import MailError, PermanentFailure
from engine.registry.models import Posting
from engine.routing.facts import ConnectionFacts, ListFacts, Route, RouteKind
from engine.routing.snapshot import Routes

Question = ParamSpec("Question")


def _as_question(check: Callable[Question, None]) -> Callable[Question, bool]:
    """Turn a check that raises into the same question, answered yes or no."""

    @wraps(check)
    def answer(*args: Question.args, **kwargs: Question.kwargs) -> bool:
        try:
            check(*args, **kwargs)
        except MailError:
            return False
        return True

    return answer


def check_can_send_as(routes: Routes, *, person_id: int, address: Address) -> None:
    """Raise PermanentFailure unless the address is the person's or theirs to send from."""
    if address.key not in routes.person_senders(person_id):
        raise PermanentFailure(
            smtp_replies.SENDER_NOT_ALLOWED.saying(
                f"You may not send as <{address}>; use your own address "
                "or that of a group mailbox you may send from"
            )
        )


def check_key_can_send_as(
    routes: Routes, organisation_id: int | None, *, address: Address
) -> None:
    """Raise PermanentFailure unless the organisation has a mailbox of that address here."""
    key = routes.domains.to_community(address).key
    _, owner, is_active = routes.mailboxes.get(key, (0, None, False))
    if owner is None or owner != organisation_id or not is_active:
        raise PermanentFailure(
            smtp_replies.SENDER_NOT_ALLOWED.saying(
                f"This key may not send as <{address}>; use the address of a mailbox "
                "of its organisation that is kept here"
            )
        )


def check_connection_can_send_as(
    routes: Routes, *, connection: ConnectionFacts, address: Address
) -> None:
    """Raise PermanentFailure unless the address is the connection's organisation's."""
    if not connection.domains.covers(address):
        raise PermanentFailure(
            smtp_replies.SENDER_NOT_ALLOWED.saying(
                f"<{address}> is not an address of {connection.organisation_name}; "
                "send from one of your own domains"
            )
        )
    if connection.domains.to_community(address).key in routes.suspended_people:
        raise PermanentFailure(
            smtp_replies.SENDER_NOT_ALLOWED.saying(
                f"The account of <{address}> is suspended; ask your administrator"
            )
        )


def check_can_reach(routes: Routes, route: Route, *, sender: Address | None) -> None:
    """Raise PermanentFailure where the route is a list that does not admit the sender."""
    if route.kind is RouteKind.BOUNCES:
        _check_is_notice(route, sender)
        return
    facts = None if route.list_id is None else routes.list(route.list_id)
    if facts is not None:
        check_can_post(routes, facts, sender=sender)


def check_can_post(
    routes: Routes, distribution_list: ListFacts, *, sender: Address | None
) -> None:
    """Raise PermanentFailure unless the list admits the sender, in community form.

    The null sender may post to no list: a notice never multiplies.
    """
    if sender is None or not _admits(routes, distribution_list, sender):
        raise PermanentFailure(
            smtp_replies.POSTING_NOT_ALLOWED.saying(
                f"You may not write to the list <{distribution_list.address}>: it is "
                f"for {_WHO[distribution_list.posting]}; ask whoever looks after it"
            )
        )


def check_can_pass_on(
    routes: Routes, distribution_list: ListFacts, route: Route
) -> None:
    """Raise PermanentFailure where a list's member is a list that does not admit it.

    Its own posting policy may be stricter now than when it became a member.
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
