"""TLS reports (RFC 8460): what other servers say of the encryption of mail to us."""
