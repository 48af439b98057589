"""What people and workers do to connections; each operation writes history."""
