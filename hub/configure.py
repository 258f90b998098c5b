"""From a hub's settings to JupyterHub's configuration.

Contract: one function a part; each says what it configures. What hub.toml's own configuration files
say (LTI, OAuth, another spawner) comes last and wins.
"""

from __future__ import annotations

import hmac
import os
import socket
import sys
from pathlib import Path
from typing import Any

from course.reader import read_course
from hub import proxy
from hub.login.accounts import SHORTEST_PASSWORD
from hub.login.authenticator import RosterAuthenticator
from hub.login.own import OwnServerHandler
from hub.settings import PACKAGES, USER, HubSettings, LoginMethod, read_secrets
from hub.spawner.belongings import belongings_of
from hub.spawner.spawner import BoxedSpawner

SERVICE = "course"
ACCESS = f"access:services!service={SERVICE}"
LOOPBACK = "127.0.0.1"
FAILED_LOGINS, BLOCKED_SECONDS = 10, 300
CULLER_SECONDS = 300


def configure(c: Any, settings: HubSettings) -> None:
    """Fills JupyterHub's configuration object."""
    secrets = read_secrets(settings.state)
    _hub(c, settings, secrets)
    _roles(c, settings)
    _login(c, settings)
    _servers(c, settings, secrets)
    _services(c, settings, secrets)
    for file in (settings.login.config, settings.servers.config):
        if file is not None:
            exec(compile(file.read_bytes(), file, "exec"), {"c": c, "settings": settings})  # noqa: S102 - the administrator's own file


def free_port() -> int:
    """A port of the loopback for a server that starts later.

    As long as this process lives, no other one is given it: it stays taken here, by a socket that doesn't
    listen, beside which another may (``SO_REUSEADDR``, man 7 socket; all servers set it).
    """
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.bind((LOOPBACK, 0))
    number: int = taken.getsockname()[1]
    taken.detach()
    return number


def _hub(c: Any, settings: HubSettings, secrets: dict[str, str]) -> None:
    """Where it listens, what it keeps, and how it begins and ends."""
    state = settings.state
    c.JupyterHub.bind_url = f"http://{settings.ip}:{settings.port}/"
    # Users' boxes reach the public address alone: these two may be any free ports.
    c.JupyterHub.hub_ip, c.JupyterHub.hub_port = LOOPBACK, free_port()
    c.ConfigurableHTTPProxy.api_url = f"http://{LOOPBACK}:{free_port()}"
    c.ConfigurableHTTPProxy.auth_token = secrets["proxy"]
    c.ConfigurableHTTPProxy.command = proxy.command()
    c.ConfigurableHTTPProxy.pid_file = str(state / "proxy.pid")
    c.JupyterHub.db_url = settings.storage.hub_database or f"sqlite:///{state}/jupyterhub.sqlite"
    c.JupyterHub.cookie_secret = bytes.fromhex(secrets["cookie"])
    # A restart of the hub leaves users at work.
    c.JupyterHub.cleanup_servers = False
    c.JupyterHub.shutdown_on_logout = False
    c.JupyterHub.template_paths = [str(Path(__file__).parent / "login" / "templates")]
    title = read_course(settings.course).title
    c.JupyterHub.template_vars = {"course_title": title, "shortest_password": SHORTEST_PASSWORD}
    c.JupyterHub.default_url = f"/services/{SERVICE}/"


def _roles(c: Any, settings: HubSettings) -> None:
    """Who may do what. An instructor is the hub's administrator: approves sign-ups, stops servers."""
    c.Authenticator.admin_users = set(settings.instructors)
    c.JupyterHub.load_roles = [
        {"name": "user", "scopes": ["self", ACCESS]},
        # What a token inside a user's box can do: speak to the course service as that user, no more.
        {"name": "server", "scopes": ["users:activity!user", "access:servers!server", ACCESS]},
        {
            "name": "culler",
            "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
            "services": ["culler"],
        },
    ]
    c.Spawner.server_token_scopes = ["users:activity!user", "access:servers!server", ACCESS]


def _login(c: Any, settings: HubSettings) -> None:
    """The hub's own accounts, unless a configuration file brings another authenticator."""
    # JupyterHub looks only whether a name begins like this.
    c.Authenticator.username_pattern = rf"{USER}\Z"
    if settings.login.method is not LoginMethod.NATIVE:
        return
    c.JupyterHub.authenticator_class = RosterAuthenticator
    c.RosterAuthenticator.state_dir = str(settings.state)
    # An account that an instructor has approved, or that came from the roster, may log in.
    c.RosterAuthenticator.allow_all = True
    c.RosterAuthenticator.open_signup = False
    c.RosterAuthenticator.minimum_password_length = SHORTEST_PASSWORD
    c.RosterAuthenticator.check_common_password = True
    c.RosterAuthenticator.allowed_failed_logins = FAILED_LOGINS
    c.RosterAuthenticator.seconds_before_next_try = BLOCKED_SECONDS


def _servers(c: Any, settings: HubSettings, secrets: dict[str, str]) -> None:
    """A box for each user's server, and a gate before it, for which the hub gives passes."""
    gate_secret = hmac.digest(bytes.fromhex(secrets["cookie"]), b"the gates of users' servers", "sha256")
    is_https = settings.url.startswith("https:")
    c.JupyterHub.extra_handlers = [
        (r"/own", OwnServerHandler, {"secret": gate_secret, "is_https": is_https}),
    ]
    c.JupyterHub.spawner_class = BoxedSpawner
    c.BoxedSpawner.gate_secret = gate_secret.hex()
    c.BoxedSpawner.state_dir = str(settings.state)
    c.BoxedSpawner.public_port = settings.port
    c.BoxedSpawner.box_limits = settings.servers.limits
    c.BoxedSpawner.belongings = belongings_of(settings)
    c.Spawner.default_url = "/lab"
    c.Spawner.start_timeout = 90
    c.Spawner.http_timeout = 60


def _services(c: Any, settings: HubSettings, secrets: dict[str, str]) -> None:
    """The course service (exchange and pages), and the culler of idle servers."""
    c.JupyterHub.services = [
        {
            "name": SERVICE,
            "url": f"http://{LOOPBACK}:{free_port()}",
            "command": [sys.executable, "-m", "hub.supervisor"],
            "api_token": secrets["service"],
            "cwd": str(PACKAGES),
            "environment": service_environment(settings, secrets),
            "oauth_no_confirm": True,
            "oauth_client_allowed_scopes": [ACCESS],
        },
        {
            "name": "culler",
            "command": [
                *(sys.executable, "-m", "jupyterhub_idle_culler"),
                f"--timeout={settings.servers.idle_minutes * 60}",
                f"--cull-every={CULLER_SECONDS}",
            ],
            "api_token": secrets["culler"],
        },
    ]


def service_environment(settings: HubSettings, secrets: dict[str, str]) -> dict[str, str]:
    """What the course service reads beside JupyterHub's own variables."""
    storage = settings.storage
    wanted = {
        "MLSYS_COURSE": str(settings.course),
        "MLSYS_COURSE_DIR": str(settings.course_dir),
        "MLSYS_HUB_STATE": str(settings.state),
        "MLSYS_EXCHANGE_DB": storage.exchange_database,
        "MLSYS_EXCHANGE_STORAGE": storage.exchange_files,
        "MLSYS_GRADEBOOK_DB": storage.gradebook_database,
        "MLSYS_METRICS_TOKEN": secrets["metrics"],
        "MLSYS_PUBLIC_URL": settings.url,
        "MLSYS_APPROVAL_URL": "/hub/authorize" if settings.login.method is LoginMethod.NATIVE else "",
        # nbgrader starts alembic by name.
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '/usr/bin:/bin')}",
    }
    return {name: value for name, value in wanted.items() if value}
