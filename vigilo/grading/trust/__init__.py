"""Is the chain, as served, valid for the clients it is meant for? One verdict per trust domain."""
