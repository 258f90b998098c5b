"""Login through a learning platform (Canvas, Moodle, Blackboard, Brightspace) by LTI 1.3.

A configuration file: copy it beside hub.toml, fill in the five values that the platform gives you, and name
it there: ``[login] method = "file"``, ``config = "lti.py"``. README.md says where to find them.
"""

# ruff: noqa: F821 - the hub gives c and settings

from typing import Any

from hub.deploy.login.roles import enrolling, lti_member
from hub.lti.capture import keeping_launches
from hub.settings import HubSettings

c: Any  # given by the hub, with the settings of hub.toml
settings: HubSettings

PLATFORM = "https://canvas.example.edu"

c.JupyterHub.authenticator_class = "ltiauthenticator.lti13.auth.LTI13Authenticator"
c.LTI13Authenticator.issuer = "https://canvas.instructure.com"
c.LTI13Authenticator.client_id = {"10000000000001"}
c.LTI13Authenticator.authorize_url = f"{PLATFORM}/api/lti/authorize_redirect"
c.LTI13Authenticator.jwks_endpoint = f"{PLATFORM}/api/lti/security/jwks"
c.LTI13Authenticator.jwks_algorithms = ["RS256"]
c.LTI13Authenticator.tool_name = "Notebooks"
c.LTI13Authenticator.tool_description = "Notebooks, submissions and marks of the course"
# The platform sends the login name as a custom parameter; names that it may let people change are no names.
c.LTI13Authenticator.username_key = "custom_login"
c.LTI13Authenticator.uri_scheme = "https"

# Whom the platform sends is in the course. Their role there is their role here, at each login anew.
c.Authenticator.allow_all = True
# What each launch tells of the course's gradebook and roster there is kept, for `mlsys lti push`.
c.Authenticator.post_auth_hook = keeping_launches(
    settings,
    enrolling(settings, lti_member),
    token_url=f"{PLATFORM}/login/oauth2/token",
)

# The hub opens in a window of its own, not inside the platform's page: choose "new window" there.
