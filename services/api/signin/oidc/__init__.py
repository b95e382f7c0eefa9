"""OpenID Connect, code flow with PKCE: issuer.py speaks to the issuer, tokens.py judges, flow.py leads through."""
