"""The mlsys command: one verb a stage, in the order of the data flow."""
