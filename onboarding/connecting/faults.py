"""What replies mean for whoever looks after a mail server: one sentence, and what to do."""

from __future__ import annotations

from collections.abc import Mapping

from engine.mail import smtp_replies
from engine.registry.models import Connection, Proof
from onboarding.connecting import mailbox

NOTHING_CAME = (
    "Nothing reached us from your server. Check that it sends mail for the community "
    "to our server and port, and that your firewall lets it out."
)
STILL_WAITING = "We could not hand the message over. See what your server says."


def of_outgoing(said: str) -> str:
    """Why their server did not take our message."""
    enhanced = said[4:9]
    if enhanced.startswith(("5.1.", "4.1.")) or " 5.1." in said:
        return (
            "Your server does not know the recipient. Test with an address that exists "
            "there, and look whether it expects secure addresses or your own."
        )
    if "5.7." in said or "4.7." in said:
        return (
            "Your server does not let ours deliver. Allow mail from our server, which "
            "you know by the name in its certificate."
        )
    return f"Your server answered: {said}"


def of_incoming(connection: Connection, detail: Mapping[str, object]) -> str:
    """Why we did not take their message, from what the trace noted."""
    said = str(detail.get("reply", ""))
    if smtp_replies.NOT_TLS.text in said:
        return (
            "Your server sent without encryption. Require STARTTLS towards our server."
        )
    if smtp_replies.AUTH_FAILED.text in said:
        return (
            "Your server signed in with a wrong user name or password. Make a new "
            "password and enter both again."
        )
    if smtp_replies.AUTH_LATER.text in said or said.startswith("454"):
        return (
            "Your server tried a wrong password too often. Wait a quarter of an hour."
        )
    if smtp_replies.AUTH_REQUIRED.text in said:
        return _unproved(connection, str(detail.get("peer", "")))
    if "lacks" in said:
        return _cloud(said)
    if "is not an address of" in said:
        return (
            f"The sender, {detail.get('sender')}, is not at one of your verified "
            "domains. Send from one of them, or add and prove the domain."
        )
    if smtp_replies.UNKNOWN_RECIPIENT.enhanced in said:
        return f"The recipient is not known here. Write to {mailbox.address()}."
    return f"We refused it: {said}"


def _unproved(connection: Connection, peer: str) -> str:
    match Proof(connection.proof):
        case Proof.CREDENTIAL:
            return (
                "Your server did not sign in. Enter the user name and password there."
            )
        case Proof.SOURCE:
            return (
                f"Your server sent from {peer}, which is not among your source "
                "addresses. Add it to them."
            )
        case Proof.CERTIFICATE:
            return (
                "Your server did not show a certificate with the name "
                f"{connection.certificate_name} that we can trust."
            )
        case Proof.CLOUD:
            return (
                f"The message came from {peer}, which is not one of your provider’s "
                "servers, or they did not show their certificate."
            )


def _cloud(said: str) -> str:
    parts = []
    if "tenant id" in said:
        parts.append(
            "the tenant id in it is missing or not the one in your connection’s settings"
        )
    if "DKIM" in said:
        parts.append("it has no valid DKIM signature of one of your verified domains")
    return f"The message came from your provider, but {' and '.join(parts)}."
