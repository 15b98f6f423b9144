"""The variables of encryption at rest; see engine/encryption/README.md."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings


class EncryptionVariables(BaseSettings):
    """What is encrypted, and by which master key."""

    # Encryption at rest: whether new mail is stored encrypted. What is stored already stays
    # readable either way; `manage.py encrypt_mail` encrypts it
    encryption: bool = False
    # The master key, 32 octets in base64 (openssl rand -base64 32), in a file that only this
    # user can read, or in the variable; or the command of a KMS, which is run with the
    # argument `wrap` or `unwrap`, and reads standard input and writes standard output.
    # If it is lost, so is all encrypted mail: keep a copy apart from the backups.
    master_key_file: str = ""
    master_key: str = Field(default="", repr=False)
    master_key_command: str = ""
    # Earlier master keys, which still unwrap what they have wrapped. To change the key: set
    # the new one and add the earlier one here on all hosts, run
    # `manage.py rotate_keys --master`, and remove the earlier one
    master_key_fallback_files: list[str] = Field(default=[])
    master_key_fallbacks: list[str] = Field(default=[], repr=False)
    # Seconds for which an organisation's key stays in memory once the master key has
    # unwrapped it
    key_cache_seconds: int = Field(default=3_600, ge=60)
