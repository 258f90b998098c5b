"""cluster start: a Dask scheduler and workers on this machine, for ``mlsys autograde --scheduler``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.batch import default_workers
from hub.benches import require_dask
from hub.certificates import make as make_certificates
from hub.cli.console import results, told, words
from hub.cli.host import require_isolation
from hub.cli.interrupts import first_interrupt
from hub.cluster import Cluster

app = typer.Typer(no_args_is_help=True, help="A grading cluster of Dask workers.")


@app.command("certificates")
def certificates_command(
    folder: Annotated[Path, typer.Argument(help="Made where it isn't there.")] = Path("run/cluster"),
) -> None:
    """Make a cluster's certificates, for schedulers and workers that others start: see hub/deploy/cluster."""
    with told():
        make_certificates(folder)
        words.print("ca.pem, server.pem, server.key: for a scheduler and its workers")
        words.print("ca.pem, client.pem, client.key: for who grades; ca.key stays where it is")
        results.print(folder, soft_wrap=True)


@app.command("start")
def start_command(
    workers: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 2,
    threads: Annotated[int, typer.Option(min=0, help="Submissions at once in each; 0: by the cores.")] = 0,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The scheduler's port.")] = 8786,
    certificates: Annotated[
        Path, typer.Option(help="The folder of its TLS certificates, made where there are none.")
    ] = Path("run/cluster"),
) -> None:
    """Start a scheduler and workers on this machine, and keep them running until Ctrl-C."""
    require_isolation()
    with told():
        require_dask()
        slots = threads or max(1, -(-default_workers() // workers))
        with (
            first_interrupt() as stop,
            Cluster(certificates, workers=workers, threads=slots, host=host, port=port) as cluster,
        ):
            words.print(f"a scheduler at {cluster.address} with {workers} workers; grade with")
            words.print(
                f"  mlsys autograde ASSIGNMENT --scheduler {cluster.address} --certificates {certificates}",
                soft_wrap=True,
            )
            cluster.keep(stop, words.print)
    words.print("the cluster is stopped")
