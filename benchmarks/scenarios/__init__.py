"""Scenarios: each module measures one thing and returns its results."""
