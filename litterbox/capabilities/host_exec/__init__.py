"""`host_exec`: commands of the host that the box may run, their folder, their streams and their end."""
