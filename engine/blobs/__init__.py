"""Stores what is too large for the database: bodies, letters, exports, pictures."""
