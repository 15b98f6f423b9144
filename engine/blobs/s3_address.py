"""Parses the URL of an S3 bucket, such as `s3://KEY:SECRET@bucket/prefix?region=…`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

REQUEST_SECONDS = 20.0
_OPTIONS = frozenset({"endpoint", "region", "style", "ca", "timeout"})


@dataclass(frozen=True, slots=True)
class S3Address:
    """Where a bucket is, and how to sign in to it.

    Without `access_key` the credentials are those of the machine (AWS instance or
    container roles). `ca` is a file of further authorities to trust. `timeout` is in
    seconds, of one request.
    """

    bucket: str
    prefix: str = ""
    access_key: str = ""
    secret_key: str = ""
    endpoint: str = ""
    region: str = "us-east-1"
    is_virtual_hosted: bool = False
    ca: str = ""
    timeout: float = REQUEST_SECONDS

    @property
    def name(self) -> str:
        """The URL without credentials and options, for logs and alarms."""
        at = f" at {self.endpoint}" if self.endpoint else ""
        return f"s3://{self.bucket}/{self.prefix}{at}"

    @classmethod
    def parse(cls, url: str) -> Self:
        """Reads the URL. Raises ValueError, whose text shows no credentials."""
        try:
            found = urlsplit(url)
            options = dict(parse_qsl(found.query, strict_parsing=bool(found.query)))
            timeout = float(options.get("timeout", REQUEST_SECONDS))
        except ValueError:
            raise ValueError("The S3 URL cannot be read.") from None
        if found.scheme != "s3" or not found.hostname:
            raise ValueError("An S3 URL begins with s3:// and the name of the bucket.")
        if unknown := options.keys() - _OPTIONS:
            raise ValueError(f"The S3 URL has unknown options: {', '.join(unknown)}.")
        if (style := options.get("style", "path")) not in ("path", "virtual"):
            raise ValueError("The S3 URL's style is path or virtual.")
        if bool(found.username) != bool(found.password) or not 0 < timeout <= 300:
            raise ValueError(
                "The S3 URL has a key and a secret or neither, and a timeout of at most "
                "300 seconds."
            )
        return cls(
            bucket=found.hostname,
            prefix=found.path.strip("/"),
            access_key=unquote(found.username or ""),
            secret_key=unquote(found.password or ""),
            endpoint=options.get("endpoint", ""),
            region=options.get("region", "us-east-1"),
            is_virtual_hosted=style == "virtual",
            ca=options.get("ca", ""),
            timeout=timeout,
        )
