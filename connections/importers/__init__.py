"""Ways to describe a connection elsewhere: a curl command, a TOML file, a preset."""
