"""Sends numbered messages through whichever engines are open, and counts what arrived."""

from __future__ import annotations

import re
import smtplib
import ssl
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import psycopg

from tests.next_hop import NextHop

FIRM = "jane@firm.example"
BOB = "bob@northfield.secure.example"
JOE = "joe@harbour.example.secure.example"
NUMBER = re.compile(rb"^Subject: drill-(\d+)\r?$", re.MULTILINE)
LETTER = """\
From: Jane <{sender}>\r
To: {bob}, {joe}\r
Message-ID: <drill-{number}@firm.example>\r
Subject: drill-{number}\r
\r
{body}\r
"""
# Every fifth body is stored outside the database.
LARGE = "A line of the large body of a message.\r\n" * 2_500


@dataclass
class Traffic:
    """One sender, which resends what was not acknowledged, as a mail server does."""

    ca_file: str
    secret: str
    ports: list[int]
    acknowledged: list[int] = field(default_factory=list)
    longest_wait: float = 0.0
    """Seconds between two acknowledgements."""
    refusals: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        number, last = 0, time.monotonic()
        while not self._stop.is_set():
            # In rotation, as behind a load balancer.
            port = self.ports[number % len(self.ports)]
            try:
                self._send(port, number)
            except (OSError, smtplib.SMTPException) as error:
                self.refusals[str(error)[:200]] += 1
                self._stop.wait(0.1)
                continue
            self.acknowledged.append(number)
            self.longest_wait = max(self.longest_wait, time.monotonic() - last)
            number, last = number + 1, time.monotonic()
            self._stop.wait(0.05)

    def _send(self, port: int, number: int) -> None:
        body = "Good morning" if number % 5 else LARGE
        with smtplib.SMTP("localhost", port, timeout=60) as client:
            client.starttls(context=ssl.create_default_context(cafile=self.ca_file))
            client.login("firm", self.secret)
            text = LETTER.format(
                sender=FIRM, bob=BOB, joe=JOE, number=number, body=body
            )
            client.sendmail(FIRM, [BOB, JOE], text)


@dataclass(frozen=True)
class Tally:
    """What became of the acknowledged messages: in the mailbox, relayed and forwarded."""

    acknowledged: int
    lost: int
    doubled: int

    def __str__(self) -> str:
        return f"acknowledged {self.acknowledged}, lost {self.lost}, doubled {self.doubled}"


def tally(traffic: Traffic, hop: NextHop, database: str) -> Tally:
    """Counts each acknowledged message three times: Bob's, Joe's, and Joe's forward."""
    kept: Counter[int] = Counter()
    with psycopg.connect(database, autocommit=True) as connection:
        rows = connection.execute("SELECT subject FROM storage_message").fetchall()
    for (subject,) in rows:
        kept[int(subject.removeprefix("drill-"))] += 1
    relayed, forwarded = Counter[int](), Counter[int]()
    for one in hop.received:
        found = NUMBER.search(one.data)
        way = relayed if one.sender.startswith("jane@") else forwarded
        if found:
            way[int(found[1])] += 1
    ways = (kept, relayed, forwarded)
    numbers = traffic.acknowledged
    return Tally(
        len(numbers),
        sum(way[number] == 0 for number in numbers for way in ways),
        sum(count > 1 for way in ways for count in way.values()),
    )
