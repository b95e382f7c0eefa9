"""Rules of the rulebook ssllabs-compatible-2009r: one per row of what is known of the SSL Server Rating Guide."""
