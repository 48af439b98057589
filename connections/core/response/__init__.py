"""From a response to its outcome: parse, extract, compare, classify; pure."""
