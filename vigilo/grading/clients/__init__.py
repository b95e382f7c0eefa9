"""Well-known clients, and what they would get from a host: worked out from its posture, without a connection."""
