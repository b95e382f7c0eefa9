"""Sign-in: local accounts, one-time links, OpenID Connect, invitations; the pages that people see for it.

passwords.py, limits.py, groups.py and oidc/tokens.py decide; accounts.py, links.py and ../sessions.py keep; pages/
shows, on the floor of ../web.
"""
