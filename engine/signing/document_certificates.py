"""Self-issued X.509 certificates of the keys that sign documents such as PDFs."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

NAME_LENGTH = 64  # characters of a common name, RFC 5280 appendix A
# "Has no well-defined expiration date", RFC 5280 §4.1.2.5. The key list says until when a
# key was used; a certificate that expired would end the proof with it.
NO_END = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")  # RFC 9336


def issue(key: EllipticCurvePrivateKey, *, name: str, made_at: datetime) -> str:
    """Returns a certificate of the key, signed by itself, in PEM.

    `name` is the community's, as programs that open the document show it.
    """
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, name[:NAME_LENGTH] or "Postern")]
    )
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(made_at)
        .not_valid_after(NO_END)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([DOCUMENT_SIGNING]), critical=False)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
        )
        .sign(key, SHA256())
    )
    return certificate.public_bytes(Encoding.PEM).decode()
