"""Form fields and their widgets, one kind of value a module."""
