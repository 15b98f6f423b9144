"""Members read and write in their own mail program (S7)."""

from __future__ import annotations

import pytest

from tests.peers import mpop
from tests.peers.postern import Postern
from tests.peers.process import wait_until
from tests.peers.thunderbird import Thunderbird

pytestmark = pytest.mark.journey


def test_thunderbird_is_set_up_by_its_dialog_downloads_and_sends(
    postern: Postern,
) -> None:
    ben, alice = (
        next(p for p in postern.demo["people"] if p["address"].startswith(name))
        for name in ("ben@northgate", "alice@northgate")
    )
    subject = "Written in a mail program"
    with Thunderbird() as thunderbird:
        thunderbird.trust(postern.ca_file)
        thunderbird.set_up(
            name=ben["name"],
            address=ben["address"],
            password=ben["app_password"],
            pop3s=postern.ports["pop3s"],
            submissions=postern.ports["submissions"],
        )
        wait_until(lambda: thunderbird.subjects("Inbox"), "mail to be downloaded")

        thunderbird.write(to=alice["address"], subject=subject)

        assert thunderbird.subjects("Sent") == [subject]
    received = mpop.download(
        postern.ports["pop3s"],
        username=alice["address"],
        password=alice["app_password"],
        ca_file=postern.ca_file,
    )
    [letter] = [one for one in received if f"Subject: {subject}".encode() in one]
    assert f"From: {ben['name']} <{ben['address']}>".encode() in letter
