"""Other spawners: configuration files for `[server] config` in hub.toml."""
