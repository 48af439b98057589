"""How much each connection may be sent: breaker, capacity, fair shares, token bucket."""
