"""A member's own server answers a list automatically, and no member of it is told."""

from __future__ import annotations

import pytest

from engine.registry.models import Connection, Person, Posting
from engine.storage.models import Message
from portal.demo.certificates import Authority
from tests import factories
from tests.engine.whole.conftest import SECRET
from tests.peers.engine import Engine
from tests.peers.postfix import Postfix

LIST = "duty@northfield.secure.example"
ABSENCE = f"""\
From: Jane <jane@firm.example>
To: {LIST}
Subject: Away
Auto-Submitted: auto-replied (vacation)

Back on Monday
"""


@pytest.mark.slow
@pytest.mark.any_database
def test_a_postfix_returns_it_with_the_reason(
    authority: Authority,
    firm_with_credential: Connection,
    alice: Person,
    bob: Person,
    engine: Engine,
) -> None:
    factories.make_list(
        LIST,
        alice.organisation,
        alice.address,
        bob.address,
        posting=Posting.COMMUNITY,
    )
    own = authority.issue("mail.firm.example", "localhost")
    with Postfix(
        "firm.example", "jane", cert_file=own.cert_file, key_file=own.key_file
    ) as server:
        server.stop()
        server.relay_through(
            "localhost",
            engine.ports["smtp"],
            username="firm",
            password=SECRET,
            ca_file=authority.ca_file,
        )
        server.start()
        server.send(ABSENCE.encode(), sender="jane@firm.example", recipients=[LIST])

        [bounce] = server.wait_for_messages("jane")

    assert b"A list takes no automatic message" in b" ".join(bounce.split())
    assert not Message.objects.exists()
