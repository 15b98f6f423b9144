"""The ending of a file's name by its content type, and the type by its ending."""

from __future__ import annotations

import mimetypes

# Types that the standard library does not know, or knows by an ending that few programs
# open. A type that says nothing keeps an ending that says nothing.
_ENDINGS = {
    "application/ics": ".ics",
    "application/ms-tnef": ".dat",
    "application/octet-stream": ".bin",
    "application/pgp-encrypted": ".asc",
    "application/pgp-keys": ".asc",
    "application/pgp-signature": ".asc",
    "application/pkcs7-mime": ".p7m",
    "application/pkcs7-signature": ".p7s",
    "application/vnd.ms-tnef": ".dat",
    "application/x-pkcs7-mime": ".p7m",
    "application/x-pkcs7-signature": ".p7s",
    "application/x-zip-compressed": ".zip",
    "image/jpeg": ".jpg",
    "image/jpg": ".jpg",
    "image/tiff": ".tif",
    "message/delivery-status": ".txt",
    "message/disposition-notification": ".txt",
    "message/global": ".eml",
    "message/global-delivery-status": ".txt",
    "message/global-disposition-notification": ".txt",
    "message/global-headers": ".txt",
    "message/news": ".eml",
    "message/rfc822": ".eml",
    "text/calendar": ".ics",
    "text/html": ".html",
    "text/plain": ".txt",
    "text/rfc822-headers": ".txt",
    "text/vcard": ".vcf",
    "text/x-vcalendar": ".vcs",
    "text/x-vcard": ".vcf",
}
# Of this package's own table: the system's tables differ from host to host.
_STANDARD = mimetypes.MimeTypes(filenames=())


def of_type(content_type: str) -> str:
    """Returns the ending with its dot, such as ".pdf"; ".bin" for an unknown type."""
    known = _ENDINGS.get(content_type)
    return known or _STANDARD.guess_extension(content_type) or ".bin"


def type_of(name: str) -> str:
    """Returns the content type of a file by its name; octet-stream for an unknown one."""
    return _STANDARD.guess_type(name)[0] or "application/octet-stream"
