"""dask-gateway's side of a grading cluster: what a site adds to its ``dask_gateway_config.py``.

``dask-gateway-server -f FILE`` reads it. Backend, login and addresses are the site's; these lines are what
grading needs, whatever the backend.
"""

# ruff: noqa: F821 - the gateway gives c

import sys
from typing import Any

c: Any

# The driver and all workers have the same packages: this Python's, on the nodes or in the image.
c.ClusterConfig.scheduler_cmd = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
# No nanny: boxes die with the process that made them.
c.ClusterConfig.worker_cmd = [sys.executable, "-m", "distributed.cli.dask_worker", "--no-nanny"]
c.ClusterConfig.worker_cores = 4
c.ClusterConfig.worker_memory = "8 G"
c.ClusterConfig.cluster_max_workers = 16
# A cluster that nobody grades with ends by itself.
c.ClusterConfig.idle_timeout = 1800
