"""SMTP replies: the value, and the table of all replies that we send."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Octets. RFC 5321 §4.5.3.1.5: 512 for the reply line, CRLF included.
MAX_LINE_OCTETS = 510

_ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?= |\Z)")
_NOT_TEXT = re.compile(r"[^!-~]+")


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's reply: code (RFC 5321 §4.2), enhanced code (RFC 3463) and text.

    `enhanced` may be empty. The text is reduced to one line of printable ASCII that fits
    the protocol, so that no input can inject another reply. Raises ValueError for an
    invalid code.
    """

    code: int
    enhanced: str
    text: str

    def __post_init__(self) -> None:
        if not 200 <= self.code <= 599:
            raise ValueError(f"{self.code} is not a reply code")
        if self.enhanced and not _ENHANCED.fullmatch(self.enhanced):
            raise ValueError(f"{self.enhanced!r} is not an enhanced status code")
        room = MAX_LINE_OCTETS - len(f"{self.code} {self.enhanced} ")
        object.__setattr__(self, "text", _one_line(self.text)[:room])

    def __str__(self) -> str:
        return " ".join(filter(None, (str(self.code), self.enhanced, self.text)))

    @property
    def is_positive(self) -> bool:
        """2yz: completed. The first digit alone decides (RFC 5321 §4.2.1, §4.3.2)."""
        return 200 <= self.code <= 299

    @property
    def is_intermediate(self) -> bool:
        """3yz: the server waits for more, as after DATA."""
        return 300 <= self.code <= 399

    @property
    def is_temporary(self) -> bool:
        """4yz: the same attempt may succeed later."""
        return 400 <= self.code <= 499

    @property
    def is_permanent(self) -> bool:
        """5yz: the same attempt will fail again."""
        return self.code >= 500

    def saying(self, text: str) -> Reply:
        """Returns a reply of the same codes with a more specific text."""
        return Reply(self.code, self.enhanced, text)

    def quoting(self, reference: str) -> Reply:
        """Returns the reply with the reference by which the trace knows the message.

        A long text is cut, because half a reference finds nothing.
        """
        if reference in self.text:
            return self
        quote = f" (our reference {reference})"
        room = MAX_LINE_OCTETS - len(f"{self.code} {self.enhanced} {quote}")
        return self.saying(self.text[:room] + quote)

    @classmethod
    def parse(cls, written: str) -> Reply:
        """Returns the reply that `str` wrote, or one cut short."""
        code, _, text = written.partition(" ")
        return cls.received(int(code), text)

    @classmethod
    def received(cls, code: int, text: str) -> Reply:
        """Returns a reply of a next hop; its text may begin with an enhanced code.

        An invalid code becomes 451: a broken server must not make a failure permanent.
        """
        if not 200 <= code <= 599:
            return cls(451, "4.5.0", f"The next hop replied {code} {text}")
        line = _one_line(text)
        found = _ENHANCED.match(line)
        if found and found[1][0] == str(code)[0]:
            # Later lines of a multi-line reply repeat the code (RFC 2034 §4).
            rest = line[found.end() :].replace(f" {found[1]} ", " ")
            return cls(code, found[1], rest)
        return cls(code, "", line)


def _one_line(text: str) -> str:
    ascii_text = text.encode("ascii", "backslashreplace").decode("ascii")
    return _NOT_TEXT.sub(" ", ascii_text).strip()


# RFC 5321 §4.2, RFC 3463 §3, RFC 5248 registry
OK = Reply(250, "2.0.0", "OK")
SENDER_OK = Reply(250, "2.1.0", "Sender OK")
RECIPIENT_OK = Reply(250, "2.1.5", "Recipient OK")

# RFC 3207 §4, RFC 4954 §4 and §6
NOT_TLS = Reply(530, "5.7.0", "Must issue a STARTTLS command first")
# Counted only: the client hears a TLS alert in its place.
TLS_FAILED = Reply(454, "4.7.0", "TLS could not be started")
AUTH_OK = Reply(235, "2.7.0", "Authentication succeeded")
AUTH_REQUIRED = Reply(530, "5.7.0", "Authentication required")
AUTH_FAILED = Reply(535, "5.7.8", "The user name or password is wrong")
PROOF_FAILED = AUTH_FAILED.saying(
    "The user name or password is wrong; an app password that was not used for long has to "
    "sign in by PLAIN once"
)
AUTH_LATER = Reply(454, "4.7.0", "Authentication is not possible at the moment")
AUTH_CANCELLED = Reply(501, "5.7.0", "Authentication cancelled")

# RFC 5321 §4.2.4 and §4.3.2, RFC 3463 §3.6
LINE_TOO_LONG = Reply(500, "5.5.2", "Line too long")
EMPTY_LINE = Reply(500, "5.5.2", "Expected a command; the line is empty")
NOT_A_WORD = Reply(500, "5.5.2", "Expected a command; they are words in ASCII")
UNKNOWN_COMMAND = Reply(500, "5.5.2", "This server has no such command")
BAD_SYNTAX = Reply(501, "5.5.4", "Syntax error in the command or its parameters")
NOT_IMPLEMENTED = Reply(502, "5.5.1", "Command not implemented")
BAD_SEQUENCE = Reply(503, "5.5.1", "Commands are in the wrong order")
BAD_PARAMETER = Reply(555, "5.5.4", "Parameter not recognised or not implemented")
NO_RECIPIENTS = Reply(554, "5.5.1", "No valid recipients")

# RFC 3463 §3.2 and §3.8: addresses and permission
BAD_SENDER = Reply(553, "5.1.7", "The sender's address is not valid")
BAD_RECIPIENT = Reply(553, "5.1.3", "The recipient's address is not valid")
NOT_A_MEMBER = Reply(550, "5.7.1", "This server accepts mail from members only")
SENDER_NOT_ALLOWED = Reply(550, "5.7.1", "You may not send from this address")
UNKNOWN_RECIPIENT = Reply(550, "5.1.1", "No such address in this community")
RECIPIENT_SUSPENDED = Reply(550, "5.2.1", "This address is not in use at present")
POSTING_NOT_ALLOWED = Reply(550, "5.7.2", "You may not send to this list")
# RFC 7372 §3
DMARC_FAILED = Reply(550, "5.7.26", "The message fails DMARC")
SIGNATURE_BROKEN = Reply(550, "5.7.20", "The signature of the message is broken")
LOOP = Reply(554, "5.4.6", "The message loops between servers")
MAILBOX_FULL = Reply(452, "4.2.2", "The mailbox is full; try again later")
# RFC 3463 §3.8 and §3.6: policy limits, and too many recipients
SENDS_TOO_OFTEN = Reply(450, "4.7.1", "You send too much at once; try again later")
SENDS_TO_TOO_MANY = Reply(452, "4.5.3", "Too many recipients at once; try again later")
TOO_MANY_RECIPIENTS = Reply(
    452, "4.5.3", "Too many recipients for one message; send to the others separately"
)
SENDING_STOPPED = Reply(450, "4.7.1", "Your mail is stopped for now by an operator")

# RFC 1870 §6, RFC 5321 §2.3.8, RFC 3463 §3.7
TOO_BIG = Reply(552, "5.3.4", "The message is larger than this server accepts")
BARE_LINE_ENDING = Reply(550, "5.6.0", "Lines must end with CR LF, together")
# RFC 5322 §3.5 and §4: NUL is obsolete. Some software skips it and some stops at it, so
# that scanner and reader could see different messages.
NUL_INSIDE = Reply(
    550,
    "5.6.0",
    "The message holds a NUL character, which mail may not carry; remove it, or attach "
    "the file that it comes from",
)
# RFC 3463 §3.7: the way to mailboxes, POP3 and next hops carries lines only.
NO_BINARY = Reply(
    555, "5.6.1", "BINARYMIME is not offered here; encode the message in base64"
)
BAD_HEADER = Reply(550, "5.6.0", "The header of the message is malformed")
INFECTED = Reply(554, "5.7.1", "The message carries malicious content")
FORBIDDEN_CONTENT = Reply(554, "5.7.1", "The message carries content not allowed here")

# Our own faults are always temporary (RFC 5321 §3.8, §4.2.1): the peer keeps the message.
SCANNER_UNAVAILABLE = Reply(451, "4.7.1", "The virus scanner cannot be reached")
KEY_UNAVAILABLE = Reply(
    451, "4.7.5", "The key of the signature cannot be looked up now"
)
PROOF_UNAVAILABLE = Reply(
    451, "4.7.5", "What proves the sender's domain cannot be looked up now; try again"
)
TRY_LATER = Reply(451, "4.3.0", "Something went wrong here; try again later")
NO_ROOM = Reply(452, "4.3.1", "There is no room for the message; try again later")
BROKEN_OFF = Reply(421, "4.3.0", "The message could not be read; try again later")
OUT_OF_STEP = Reply(421, "4.5.0", "What follows cannot be read; connect again")
SIGN_IN_ENDED = Reply(421, "4.7.0", "Your sign-in is no longer valid; sign in again")
TOO_SLOW = Reply(421, "4.4.2", "You did not sign in in time; connect again")
CROWDED_OUT = Reply(
    421,
    "4.7.0",
    "Too many connections are waiting to sign in; connect again and sign in immediately",
)
TOO_MANY_ERRORS = Reply(421, "4.7.0", "Too many errors")
TOO_MANY_CONNECTIONS = Reply(421, "4.7.0", "Too many connections; try again later")


def accepted(reference: str) -> Reply:
    """Returns the 250 by which we take responsibility for a message (RFC 5321 §4.2.5)."""
    return OK.saying(f"Kept as {reference}")
