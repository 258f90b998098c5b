"""Login through an identity provider by OAuth and OpenID Connect.

A configuration file: copy it beside hub.toml, fill in your provider's values, and name it there:
``[login] method = "file"``, ``config = "oauth.py"``. README.md has the values of other providers.
The client's secret stands in the environment (``/etc/mlsys/hub.env`` on one server), not here.
"""

# ruff: noqa: F821 - the hub gives c and settings

import os
from functools import partial
from typing import Any

from hub.deploy.login.roles import enrolling, oauth_member
from hub.settings import HubSettings

c: Any  # given by the hub, with the settings of hub.toml
settings: HubSettings

PROVIDER = "https://login.example.edu"
NAME = "preferred_username"
STAFF_GROUPS = {"mlsys-staff"}

c.JupyterHub.authenticator_class = "oauthenticator.generic.GenericOAuthenticator"
c.GenericOAuthenticator.login_service = "your university account"
c.GenericOAuthenticator.client_id = os.environ.get("OAUTH_CLIENT_ID", "")
c.GenericOAuthenticator.client_secret = os.environ.get("OAUTH_CLIENT_SECRET", "")
c.GenericOAuthenticator.oauth_callback_url = f"{settings.url}hub/oauth_callback"
c.GenericOAuthenticator.authorize_url = f"{PROVIDER}/oauth2/authorize"
c.GenericOAuthenticator.token_url = f"{PROVIDER}/oauth2/token"
c.GenericOAuthenticator.userdata_url = f"{PROVIDER}/oauth2/userinfo"
c.GenericOAuthenticator.scope = ["openid", "profile", "email", "groups"]
c.GenericOAuthenticator.username_claim = NAME
c.GenericOAuthenticator.enable_pkce = True

# Everybody whom the provider lets in, which may be more than the course; README.md: to admit a group alone.
c.GenericOAuthenticator.allow_all = True
c.Authenticator.post_auth_hook = enrolling(
    settings, partial(oauth_member, name_in=NAME, staff_groups=STAFF_GROUPS), "oauth_user"
)
