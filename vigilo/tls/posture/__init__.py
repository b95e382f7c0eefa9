"""What a server accepts, found out by probes: what to offer next given what was answered, and what it means. Pure."""
