def envelope(book, name, subject, sender="noreply@example.org"):
    """Message headers for a list, or None for an empty list."""
    members = book.members(name)
    if not members:
        return None
    return {"From": sender, "Bcc": ", ".join(members), "Subject": f"[{name}] {subject}"}
