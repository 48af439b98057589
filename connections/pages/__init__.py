"""Views for setting up and testing a connection; the admin routes to them."""
