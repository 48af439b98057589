"""What operators configure: accounts, campaigns, connections and links."""
