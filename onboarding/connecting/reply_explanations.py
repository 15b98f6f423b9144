"""Explains SMTP replies to mail server administrators: the cause and what to do."""

from __future__ import annotations

from collections.abc import Mapping

from engine.mail import smtp_replies
from engine.registry.models import Connection, Proof
from onboarding.connecting import connection_test_mailbox

NOTHING_CAME = (
    "Nothing reached us from your server. Check that it sends mail for the community "
    "to our server and port, and that your firewall allows it."
)
STILL_WAITING = "We could not deliver the message. Check the reply of your server."


def explain_outgoing(said: str) -> str:
    """Explains the reply `said` with which their server did not accept our message."""
    enhanced = said[4:9]
    if enhanced.startswith(("5.1.", "4.1.")) or " 5.1." in said:
        return (
            "Your server does not know the recipient. Test with an address that exists "
            "there, and check whether it expects secure addresses or your own."
        )
    if "5.7." in said or "4.7." in said:
        return (
            "Your server does not allow ours to deliver. Allow mail from our server, "
            "which you can recognise by the name in its certificate."
        )
    return f"Your server answered: {said}"


def explain_incoming(connection: Connection, detail: Mapping[str, object]) -> str:
    """Explains why we refused their message, from the detail of its trace event."""
    said = str(detail.get("reply", ""))
    if smtp_replies.NOT_TLS.text in said:
        return "Your server sent without encryption. Require STARTTLS for our server."
    if smtp_replies.AUTH_FAILED.text in said:
        return (
            "Your server signed in with a wrong user name or password. Make a new "
            "password, and enter the user name and password again."
        )
    if smtp_replies.AUTH_LATER.text in said or said.startswith("454"):
        return (
            "Your server tried a wrong password too often. Correct the password, wait 15 "
            "minutes, then test again."
        )
    if smtp_replies.AUTH_REQUIRED.text in said:
        return _unproved(connection, str(detail.get("peer", "")))
    if "lacks" in said:
        return _cloud(said)
    if "is not an address of" in said:
        return (
            f"The sender, {detail.get('sender')}, is not at one of your verified "
            "domains. Send from one of them, or add and verify the domain."
        )
    if smtp_replies.UNKNOWN_RECIPIENT.enhanced in said:
        return f"The recipient does not exist here. Write to {connection_test_mailbox.address()}."
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
