"""TLS as bytes: what probes say and what servers answer, SSL 2 to TLS 1.3. Pure; bytes give a value or Malformed."""
