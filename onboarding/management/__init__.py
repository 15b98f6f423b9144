"""Commands for whoever sets up a copy of the service."""
