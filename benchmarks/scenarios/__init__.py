"""The rows of the table: each module measures one thing and says what it came to."""
