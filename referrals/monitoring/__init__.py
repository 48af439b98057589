"""Status of the installation, health checks, statistics and notifications."""
