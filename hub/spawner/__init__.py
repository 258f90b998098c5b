"""Runs each user's Jupyter server in a box of its own, with no network but a door to the hub."""
