"""What people touch: the mlsys command and, later, the hub."""
