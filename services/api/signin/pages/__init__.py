"""The pages of sign-in. `ROUTERS` is all of them; each is made of `PageRoute`s (tests/contract/test_pages.py)."""

from services.api.signin.pages import account, assets, invitation, link, oidc, sign_in

ROUTERS = (assets.router, sign_in.router, link.router, oidc.router, invitation.router, account.router)
