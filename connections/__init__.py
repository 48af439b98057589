"""What operators configure: accounts, campaigns, connections and links."""

__version__ = "0.1.0"
"""The product's version; pyproject.toml reads it from here. It stands in the lower app, since the
pure core names it in `User-Agent` and imports nothing above itself."""
