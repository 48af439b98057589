"""Convert between a connection's rows, its spec and its form, and validate the rows."""
