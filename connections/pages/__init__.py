"""The pages on which a connection is set up and tested; the admin gives them their addresses."""
