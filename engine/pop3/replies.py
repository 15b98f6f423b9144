"""POP3 replies: the -ERR replies that we send, and the exception that carries one."""

from __future__ import annotations

from dataclasses import dataclass

CRLF = b"\r\n"
END = b".\r\n"


def line(text: str) -> bytes:
    """Returns the text as one line of a reply."""
    return text.encode() + CRLF


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """A -ERR reply: the sentence, and a response code in capitals where one fits.

    Response codes are those of RFC 2449 §8 and RFC 3206; clients act on them.
    """

    text: str
    code: str = ""

    def __bytes__(self) -> bytes:
        code = f"[{self.code}] " if self.code else ""
        return line(f"-ERR {code}{self.text}")


class Refused(Exception):
    """A command is refused with a reply, and the session goes on."""

    def __init__(self, reply: ErrorReply) -> None:
        super().__init__(reply.text)
        self.reply = reply


# fetchmail (6.4) does not read SYS/TEMP: before the mailbox is open it takes every -ERR
# for a wrong password, and tells its user so, unless the sentence has one of these words.
# So each temporary reply has one, and no final reply.
BUSY_WORDS = ("lock", "wait")

# RFC 3206 §4 (SYS/TEMP, SYS/PERM) and §5 (AUTH); RFC 2449 §8.1.1 (IN-USE)
NO_TLS = ErrorReply("Start TLS with STLS before signing in", "AUTH")
WRONG = ErrorReply("The address or the app password is wrong", "AUTH")
WRONG_PROOF = ErrorReply(
    "The address or the app password is wrong; one that was not used for long has to sign "
    "in by PLAIN once",
    "AUTH",
)
NO_MAILBOX = ErrorReply("No mailbox is kept here for this address", "AUTH")
IN_USE = ErrorReply(
    "The mailbox is locked by another session; wait until that ends", "IN-USE"
)
FAULT = ErrorReply("Something went wrong here; wait and try again", "SYS/TEMP")
CROWDED = ErrorReply("Too many connections; wait and try again", "SYS/TEMP")
CROWDED_OUT = ErrorReply(
    "Too many connections are waiting to sign in; connect again and sign in immediately",
    "SYS/TEMP",
)
NO_SUCH_MESSAGE = ErrorReply("No such message")
READ_ONLY = ErrorReply("You may read this mailbox, but not delete from it", "PERM")
SIGNED_OUT = ErrorReply(
    "Your sign-in is no longer valid; nothing was deleted", "SYS/PERM"
)
LOST = ErrorReply(
    "Another session has locked the mailbox meanwhile; nothing was deleted", "SYS/TEMP"
)
GONE = ErrorReply("The message was removed in the meantime")
UNREADABLE = ErrorReply("The stored message cannot be decrypted", "SYS/PERM")
NOT_NOW = ErrorReply("Not possible at this point")
UNKNOWN = ErrorReply("Command not recognised")
BAD_SYNTAX = ErrorReply("Syntax error in the command")
NO_MECHANISM = ErrorReply("This mechanism is not offered; CAPA names those that are")
NO_LANGUAGE = ErrorReply("Replies come in English only")
BAD_SASL = ErrorReply("The response is not valid for this mechanism")
CANCELLED = ErrorReply("Authentication cancelled")
LINE_TOO_LONG = ErrorReply("Line too long")


def temporary(text: str) -> ErrorReply:
    """Returns a reply that asks the client to come back, in words that it understands."""
    if any(word in text for word in BUSY_WORDS):
        return ErrorReply(text, "SYS/TEMP")
    return ErrorReply(f"{text}; wait and try again", "SYS/TEMP")
