"""TLS reports as other servers send them (RFC 8460 §5.1, appendix B)."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

YESTERDAY = datetime.now(UTC).replace(hour=0, minute=0, second=0) - timedelta(days=1)


def report(**over: Any) -> dict[str, Any]:
    """The content of a report with failures of two kinds."""
    last = YESTERDAY + timedelta(hours=23, minutes=59, seconds=59)
    return {
        "organization-name": "Firm",
        "date-range": {
            "start-datetime": f"{YESTERDAY:%Y-%m-%dT%H:%M:%SZ}",
            "end-datetime": f"{last:%Y-%m-%dT%H:%M:%SZ}",
        },
        "contact-info": "sts-reporting@firm.example",
        "report-id": "5065427c-23d3-47ca-b6e0-946ea0e8c4be",
        "policies": [
            {
                "policy": {
                    "policy-type": "sts",
                    "policy-string": ["version: STSv1", "mode: testing"],
                    "policy-domain": "Secure.example.",
                    "mx-host": ["*.secure.example"],
                },
                "summary": {
                    "total-successful-session-count": 5326,
                    "total-failure-session-count": 303,
                },
                "failure-details": [
                    {
                        "result-type": "certificate-expired",
                        "sending-mta-ip": "2001:db8:abcd:0012::1",
                        "receiving-mx-hostname": "mx1.secure.example",
                        "failed-session-count": 100,
                    },
                    {
                        "result-type": "starttls-not-supported",
                        "sending-mta-ip": "192.0.2.7",
                        "receiving-mx-hostname": "mx2.secure.example",
                        "receiving-ip": "203.0.113.56",
                        "failed-session-count": 203,
                        "additional-information": "https://reports.firm.example/1",
                    },
                ],
            }
        ],
    } | over


def packed(content: dict[str, Any]) -> bytes:
    return gzip.compress(json.dumps(content).encode())


def message(attached: bytes, *, author: str = "jane@firm.example") -> bytes:
    """A report by mail (RFC 8460 §5.3)."""
    encoded = base64.encodebytes(attached).replace(b"\n", b"\r\n")
    head = (
        f"From: {author}\r\nTo: tls-reports@secure.example\r\n"
        "Subject: Report Domain: secure.example Submitter: firm.example\r\n"
        "TLS-Report-Domain: secure.example\r\nTLS-Report-Submitter: firm.example\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/report; "
        'report-type="tlsrpt"; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nA report\r\n"
        "--b\r\nContent-Type: application/tlsrpt+gzip\r\n"
        "Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; "
        'filename="firm.example!secure.example!1013662812!1013749130.json.gz"\r\n\r\n'
    )
    return head.encode() + encoded + b"--b--\r\n"
