"""The capability `host_exec`: runs commands of the host for the box."""
