"""Whether two versions of the service can serve one database during an upgrade."""
