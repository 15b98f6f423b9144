"""Backs up the database and the blob store while they serve, and restores both."""
