"""What the Zero to JupyterHub chart takes, as far as our values use it: a JSON schema.

Facts from jupyterhub/values.schema.yaml of github.com/jupyterhub/zero-to-jupyterhub-k8s (chart 4): names and
types, and that no level but those marked OPEN takes another key.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
OPEN: Schema = {"type": "object"}
TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "integer"}
LIST: Schema = {"type": "array"}
MAYBE_TEXT: Schema = {"type": ["string", "null"]}
MAYBE_FLAG: Schema = {"type": ["boolean", "null"]}
MAYBE_NUMBER: Schema = {"type": ["integer", "null"]}


def closed(required: str = "", **properties: Schema) -> Schema:
    """An object of exactly these keys."""
    found: Schema = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**found, "required": required.split()} if required else found


IMAGE = closed("name tag", name=TEXT, tag=TEXT, pullPolicy=TEXT, pullSecrets=LIST)
EGRESS = closed(
    cloudMetadataServer=FLAG,
    dnsPortsCloudMetadataServer=FLAG,
    dnsPortsKubeSystemNamespace=FLAG,
    dnsPortsPrivateIPs=FLAG,
    nonPrivateIPs=FLAG,
    privateIPs=FLAG,
)
POLICY = closed(
    enabled=FLAG,
    ingress=LIST,
    egress=LIST,
    egressAllowRules=EGRESS,
    interNamespaceAccessLabels=TEXT,
    allowedIngressPorts=LIST,
)
BUDGET = closed(enabled=FLAG, maxUnavailable=MAYBE_NUMBER, minAvailable=MAYBE_NUMBER)
DATABASE: Schema = closed(
    type={"enum": ["sqlite-pvc", "sqlite-memory", "mysql", "postgres", "other"]},
    url=MAYBE_TEXT,
    password=MAYBE_TEXT,
    upgrade=MAYBE_FLAG,
    pvc=OPEN,
)
HUB = closed(
    image=IMAGE,
    existingSecret=MAYBE_TEXT,
    db=DATABASE,
    config=OPEN,
    services=OPEN,
    loadRoles=OPEN,
    extraConfig=OPEN,
    extraEnv=OPEN,
    containerSecurityContext=OPEN,
    podSecurityContext=OPEN,
    resources=OPEN,
    networkPolicy=POLICY,
    pdb=BUDGET,
    authenticatePrometheus=MAYBE_FLAG,
    allowNamedServers=MAYBE_FLAG,
    activeServerLimit=MAYBE_NUMBER,
    concurrentSpawnLimit=MAYBE_NUMBER,
    templateVars=OPEN,
)
PROXY = closed(
    service=closed(
        type={"enum": ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]}, annotations=OPEN
    ),
    https=closed(
        enabled=MAYBE_FLAG,
        type={"enum": [None, "", "letsencrypt", "manual", "offload", "secret"]},
        hosts=LIST,
        letsencrypt=closed(contactEmail=MAYBE_TEXT, acmeServer=MAYBE_TEXT),
        secret=closed(name=MAYBE_TEXT, key=MAYBE_TEXT, crt=MAYBE_TEXT),
    ),
    chp=closed(networkPolicy=POLICY, resources=OPEN, image=IMAGE, pdb=BUDGET, extraCommandLineFlags=LIST),
    traefik=closed(networkPolicy=POLICY, resources=OPEN, image=IMAGE, pdb=BUDGET),
)
SHARE = closed(limit={"type": ["number", "string", "null"]}, guarantee={"type": ["number", "string", "null"]})
SINGLEUSER = closed(
    image=IMAGE,
    cmd={"type": ["array", "string", "null"]},
    defaultUrl=MAYBE_TEXT,
    uid=MAYBE_NUMBER,
    fsGid=MAYBE_NUMBER,
    allowPrivilegeEscalation=MAYBE_FLAG,
    serviceAccountName=MAYBE_TEXT,
    events=MAYBE_FLAG,
    startTimeout=MAYBE_NUMBER,
    cpu=closed(limit={"type": ["number", "null"]}, guarantee={"type": ["number", "null"]}),
    memory=SHARE,
    storage=closed(
        "type homeMountPath",
        type={"enum": ["dynamic", "static", "none"]},
        capacity=MAYBE_TEXT,
        homeMountPath=TEXT,
        extraVolumes=LIST,
        extraVolumeMounts=LIST,
    ),
    extraEnv=OPEN,
    extraPodConfig=OPEN,
    cloudMetadata=closed("blockWithIptables ip", blockWithIptables=FLAG, ip=TEXT),
    networkPolicy=POLICY,
)
VALUES = closed(
    "hub proxy singleuser",
    hub=HUB,
    proxy=PROXY,
    singleuser=SINGLEUSER,
    scheduling=closed(userScheduler=closed(enabled=FLAG, replicas=NUMBER, pdb=BUDGET, resources=OPEN)),
    prePuller=closed(hook=closed("enabled", enabled=FLAG), continuous=closed("enabled", enabled=FLAG)),
    cull=closed("enabled", enabled=FLAG, timeout=MAYBE_NUMBER, every=MAYBE_NUMBER, maxAge=MAYBE_NUMBER),
)
