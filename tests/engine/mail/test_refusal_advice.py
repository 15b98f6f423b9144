"""What an administrator reads about each refusal of ours fits its cause."""

from __future__ import annotations

import pytest

from engine.mail import advice, refusal_advice, smtp_replies
from engine.mail.smtp_replies import Reply
from engine.trace.models import EventKind
from engine.trace.timeline import Visibility, step
from tests.engine.trace.test_timeline import record_events

INFECTED = str(
    smtp_replies.INFECTED.saying("The virus scanner found Eicar-Test; nothing was sent")
)


@pytest.mark.parametrize(
    "reply",
    [
        INFECTED,
        str(smtp_replies.INFECTED),
        "554 5.7.1 Message contains a virus: Win.Trojan.Agent",
        "550 5.7.0 Malware detected",
    ],
)
def test_a_virus_reads_as_a_virus(reply: str) -> None:
    assert advice.of_reply(reply) == advice.VIRUS
    assert refusal_advice.of_refusal(reply) == advice.VIRUS


@pytest.mark.parametrize(
    "reply",
    [
        str(smtp_replies.SCANNER_UNAVAILABLE),
        "451 4.7.1 Cannot scan for viruses: no answer; try again",
        "554 5.7.1 The virus scanner here does not open files of the kind .rar",
        "554 5.7.1 A ZIP that is encrypted cannot be scanned for viruses; not carried here",
        "550 5.7.1 You may not send as <virus.lab@firm.example>; use your own address",
    ],
)
def test_what_merely_speaks_of_the_scanner_is_no_virus(reply: str) -> None:
    assert refusal_advice.of_refusal(reply) not in ("", advice.VIRUS)
    assert advice.of_reply(reply) != advice.VIRUS


REFUSALS = [
    one
    for one in vars(smtp_replies).values()
    if isinstance(one, Reply) and one.code >= 400 and one.enhanced[:4] != "5.5."
]


@pytest.mark.parametrize("reply", REFUSALS, ids=str)
def test_every_refusal_about_mail_says_what_to_do(reply: Reply) -> None:
    assert refusal_advice.of_refusal(str(reply))


def test_a_step_of_a_refusal_has_the_advice_and_where_it_came_from() -> None:
    refused = record_events(
        EventKind.REFUSED, reply=INFECTED, peer="192.0.2.7", command="DATA", how="x"
    )

    shown = step(refused, Visibility.MEMBER)

    assert shown.advice == advice.VIRUS
    assert shown.facts == (
        ("From the address", "192.0.2.7"),
        ("At the command", "DATA"),
    )


def test_a_temporary_refusal_is_not_called_final() -> None:
    refused = record_events(EventKind.REFUSED, reply="451 4.3.0 Try again later")

    assert step(refused, Visibility.MEMBER).text.startswith("Refused for now")
