"""Map tiles that are loaded once."""
