"""Grading clusters under other people's schedulers: Slurm, dask-gateway, Kubernetes. See README.md here."""
