"""How the installation does: status, health checks, statistics, notifications."""
