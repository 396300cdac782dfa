"""What goes out to people: the report."""
