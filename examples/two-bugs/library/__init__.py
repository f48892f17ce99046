"""Members and loans of a public library."""
