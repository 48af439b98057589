"""How an installation is put together: settings, addresses, admin site; no business of its own."""
