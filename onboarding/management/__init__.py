"""Commands for setting up a new community."""
