"""Exchanges made ready for pages: formatted, highlighted, redacted."""
