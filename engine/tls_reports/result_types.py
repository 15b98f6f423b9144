"""The kinds of failure in TLS reports, in plain words (RFC 8460 §4.3)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a kind of failure means, and what to do about it."""

    meaning: str
    what_to_do: str


_CERTIFICATE = "Renew the certificate of the host named, and restart the engine."
_POLICY = (
    "Open the policy in a browser at https://mta-sts. and our domain, and compare it with "
    "the names of our hosts."
)
EXPLANATIONS = {
    "starttls-not-supported": Explanation(
        "Our server did not offer STARTTLS",
        "Look for a firewall or proxy in front of port 25 that takes it out of the reply.",
    ),
    "certificate-host-mismatch": Explanation(
        "Our certificate was for another name",
        "Have a certificate issued for the name in the MX record.",
    ),
    "certificate-expired": Explanation("Our certificate had expired", _CERTIFICATE),
    "certificate-not-trusted": Explanation(
        "Our certificate was by an authority that they do not trust",
        "Serve the certificates between ours and its authority too, or choose another "
        "authority.",
    ),
    "validation-failure": Explanation(
        "TLS failed for another reason",
        "The report's details say more. Ask its contact.",
    ),
    "tlsa-invalid": Explanation(
        "Our TLSA record was not that of our certificate",
        "Publish the TLSA record of the next key before it is used.",
    ),
    "dnssec-invalid": Explanation(
        "The signatures of our DNS zone could not be verified",
        "Check the DS record at the registrar, and that the zone is signed again in time.",
    ),
    "dane-required": Explanation(
        "They ask for TLSA records, and found none that are valid",
        "Publish TLSA records in a zone signed by DNSSEC, or ask them to lift the rule.",
    ),
    "sts-policy-fetch-error": Explanation(
        "Our MTA-STS policy could not be fetched", _POLICY
    ),
    "sts-policy-invalid": Explanation("Our MTA-STS policy was malformed", _POLICY),
    "sts-webpki-invalid": Explanation(
        "Our certificate did not meet our MTA-STS policy", _CERTIFICATE
    ),
}


def explain(result_type: str) -> Explanation:
    """Returns the words for a kind; one that is not known keeps its own name."""
    other = Explanation(result_type, "The report's details say more. Ask its contact.")
    return EXPLANATIONS.get(result_type, other)
