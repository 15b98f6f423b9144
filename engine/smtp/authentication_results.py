"""Writes Authentication-Results (RFC 8601), and removes those that pretend to be ours.

What a message showed on arrival is recorded in one place only: the topmost field of the
stored message, whose authserv-id is the server's own name. What seals a message when it
is handed on reads that field and nothing else. Its `arc=` gives the verdict of the seal:
`none` where the stored header has no ARC sets, `pass` where they are a valid chain, and
anything else where they are not. The rest are the results to attest. A message that was
written here has no such field. No Authentication-Results and no ARC set in a name of
ours comes from outside: forged ones are removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from engine.mail import lookalike
from engine.mail.authentication import arc
from engine.mail.authentication.arc import Arc, ArcResult
from engine.mail.authentication.dmarc import Dmarc
from engine.mail.dkim.verification import Outcome, Result
from engine.mail.header import Field, HeaderBlock
from engine.smtp.sender_authentication import Proofs

FIELD = "Authentication-Results"
ARC_RESULTS = arc.RESULTS
ARC_FIELDS = frozenset(name.lower() for name in arc.FIELDS)
# Characters of a reason: parts of it come from the message.
MAX_REASON = 100

# What programs read past within a name: white space, backslashes, quotes, comment signs.
_PADDING = re.compile(r"[\\\s\"()]")
_COMMENT_SIGN = re.compile(r"[()]|\\.", re.DOTALL)
_INSTANCE = re.compile(r"(?:^|;)i=([0-9]+)")
_SIGNING_DOMAIN = re.compile(r";d=([^;]*)")


def add_results(header: HeaderBlock, server_name: str, proofs: Proofs) -> HeaderBlock:
    """Returns the header with our Authentication-Results on top (RFC 8601 §2)."""
    return header.prepended(FIELD, f"{server_name}; {'; '.join(_results(proofs))}")


def _results(proofs: Proofs) -> Iterator[str]:
    if (found := proofs.spf) is not None:
        identity = "smtp.helo" if found.is_helo else "smtp.mailfrom"
        # The name in EHLO may be anything; a domain that was evaluated is one.
        named = f" {identity}={found.domain}" if _is_name(found.domain) else ""
        yield f"spf={found.outcome}{_reason(found.reason)}{named}"
    if not proofs.signatures:
        yield "dkim=none"
    for signed in proofs.signatures:
        yield _dkim_text(signed)
    if (author := proofs.dmarc) is not None:
        named = f" header.from={author.domain}" if author.domain else ""
        has_policy = author.outcome not in (Dmarc.NONE, Dmarc.PERMERROR)
        asked = f" policy.dmarc={author.request}" if has_policy else ""
        yield f"dmarc={author.outcome}{_reason(author.reason)}{named}{asked}"
    yield f"arc={proofs.arc.outcome}{_reason(proofs.arc.reason)}"


def _is_name(text: str) -> bool:
    return bool(re.fullmatch(r"[0-9A-Za-z_-]+(?:\.[0-9A-Za-z_-]+)*", text[:254]))


def _reason(text: str) -> str:
    if not text:
        return ""
    clean = "".join(
        c for c in text if c.isprintable() and c.isascii() and c not in '"\\'
    )
    return f' reason="{clean[:MAX_REASON]}"' if clean else ""


def without_forged(
    header: HeaderBlock, proofs: Proofs, *names: str
) -> tuple[HeaderBlock, Proofs]:
    """Returns the header without what `remove_forged` removes, and the proofs without it.

    A chain that has lost a set is broken; one that has lost them all is none.
    """
    kept = remove_forged(header, *names)
    sets = [sum(f.name.lower() in ARC_FIELDS for f in h.fields) for h in (header, kept)]
    if sets[0] == sets[1]:
        return kept, proofs
    outcome = Arc.FAIL if sets[1] else Arc.NONE
    reason = "sets in the name of this service were removed"
    return kept, replace(proofs, arc=ArcResult(outcome, reason))


def remove_forged(header: HeaderBlock, *names: str) -> HeaderBlock:
    """Returns the header without results and ARC sets that claim to be ours.

    `names` are the server's, then others of ours, such as the community's domain. RFC
    8601 §5: results under our own name that come from outside can only be forged. ARC
    sets of ours may come back, and a genuine one may be replayed: a chain attests only
    what its last server says of the rest. None is kept, so that nothing under our name
    stands in a message that we did not write. Of each set all three fields are removed
    (RFC 8617 §4.1).
    """
    if not any(header.get(name) for name in (FIELD, *ARC_FIELDS)):
        return header
    ours = [_as_read(name) for name in names]
    forged = {
        _instance(field)
        for field in header.fields
        if field.name.lower() in ARC_FIELDS and _claims_to_be_ours(field, ours)
    }
    kept = tuple(f for f in header.fields if not _is_forged(f, ours, forged))
    return HeaderBlock(kept)


def _is_forged(field: Field, ours: Sequence[str], forged: set[str]) -> bool:
    name = field.name.lower()
    if name in ARC_FIELDS:
        return _instance(field) in forged or _claims_to_be_ours(field, ours)
    return name == FIELD.lower() and _claims_to_be_ours(field, ours)


def _claims_to_be_ours(field: Field, ours: Sequence[str]) -> bool:
    """Returns whether a field claims that one of our names, or a host below it, wrote it.

    The server's own name anywhere in the results is enough. Programs disagree on how to
    read the field, so that every reading counts: encoded words decoded or not, comments
    removed or not.
    """
    value = field.value
    ways = {value.decode("latin-1"), value.decode("utf-8", "replace"), field.text}
    readings = {_as_read(text) for way in ways for text in (way, _uncommented(way))}
    if field.name.lower() in (FIELD.lower(), ARC_RESULTS.lower()):
        return any(ours[0] in read for read in readings) or any(
            _is_within(_authserv_id(read), name) for read in readings for name in ours
        )
    return any(
        _is_within(domain, name)
        for read in readings
        for domain in _SIGNING_DOMAIN.findall(f";{read}")
        for name in ours
    )


def _authserv_id(read: str) -> str:
    """Returns the authserv-id with its version; an ARC instance may stand before it."""
    return _INSTANCE.sub("", read).lstrip(";").partition(";")[0]


def _is_within(claimed: str, name: str) -> bool:
    # A version may follow the name directly, because white space was removed.
    return bool(re.search(rf"(?:^|\.){re.escape(name)}(?![a-z.-])", claimed))


def _instance(field: Field) -> str:
    found = _INSTANCE.search(_as_read(_uncommented(field.value.decode("latin-1"))))
    return found[1].lstrip("0") if found else ""


def _as_read(text: str) -> str:
    """Returns the text as a reader takes it: no padding, look-alikes as ASCII."""
    return _PADDING.sub("", lookalike.ascii_form(text))


def _uncommented(text: str) -> str:
    """Returns the text without its comments, which nest (RFC 5322 §3.2.2).

    What is never closed is not a comment: it hides none that are, and ends the word
    before it.
    """
    opened: list[int] = []
    comments: list[tuple[int, int]] = []
    for found in _COMMENT_SIGN.finditer(text):
        if found[0] == "(":
            opened.append(found.start())
        elif found[0] == ")" and opened:
            start = opened.pop()
            while comments and comments[-1][0] > start:
                comments.pop()
            comments.append((start, found.end()))
    left = {start: "" for start, _ in comments} | dict.fromkeys(opened, ";")
    ends = dict(comments)
    kept, at = [], 0
    for start in sorted(left):
        kept += [text[at:start], left[start]]
        at = ends.get(start, start + 1)
    return "".join([*kept, text[at:]])


def _dkim_text(result: Result) -> str:
    text = f"dkim={result.outcome}{_reason(result.reason)}"
    signature = result.signature
    if signature is None:
        return text
    return (
        f"{text} header.d={signature.domain}"
        f" header.s={signature.selector} header.a={signature.algorithm}"
    )


def has_signed(found: list[Result], domains: frozenset[str]) -> bool:
    """Returns whether a signature of one of these domains was verified."""
    return any(r.outcome is Outcome.PASS and r.domain in domains for r in found)


def may_have_signed(found: list[Result], domains: frozenset[str]) -> bool:
    """Returns whether one of them has a signature whose key cannot be looked up now."""
    return any(r.outcome is Outcome.TEMPERROR and r.domain in domains for r in found)
