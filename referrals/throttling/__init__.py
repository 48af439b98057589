"""How much each connection may be sent: breaker, token bucket, capacity and fair shares."""
