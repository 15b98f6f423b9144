"""The POSTERN_* variables of the store of blobs, and of backups."""

from __future__ import annotations

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from engine.blobs.s3_address import S3Address


class BlobVariables(BaseSettings):
    """Where blobs and backups are stored; part of `Environment`."""

    # Where bodies, quarantine, letters, exports and pictures are kept: `files` is
    # POSTERN_VAR, for one host. s3://KEY:SECRET@bucket/prefix?endpoint=https://s3.example
    # is a bucket that several hosts share. Further options: region; style=virtual where the
    # endpoint's name includes the bucket; ca, a file of authorities; timeout, in seconds, of
    # a request. Key and secret are URL-encoded, and left out where the machine has a role
    blob_url: str = Field(default="files", min_length=1)
    # A second store, which is only read, while `manage.py move_blobs` moves what is in it
    # to the first; in the same format
    blob_second_url: str = ""
    # Octets of copies of blobs in S3 that each host keeps under POSTERN_VAR; 0 is none
    blob_cache_bytes: int = Field(default=1024**3, ge=0)

    # Where `postern backup` keeps backups and `postern restore` finds them, unless they are
    # given a folder: a folder, or a bucket in the format of POSTERN_BLOB_URL, best at
    # another provider than that one
    backup_target: str = ""

    @field_validator("blob_url", "blob_second_url")
    @classmethod
    def _blobs(cls, url: str) -> str:
        if url not in ("", "files"):
            S3Address.parse(url)
        return url

    @field_validator("backup_target")
    @classmethod
    def _backups(cls, target: str) -> str:
        if "://" in target:
            S3Address.parse(target)
        elif target and not target.startswith("/"):
            raise ValueError("Set it to s3://… or to the whole path of a folder.")
        return target
