"""
Who may do what with a document.
"""

ROLES = {"viewer": 1, "editor": 2, "owner": 3}


def rank(role):
    try:
        return ROLES[role]
    except KeyError:
        raise ValueError("unknown role: %r" % role) from None


def can_read(doc, user):
    return doc["public"] or user in doc["members"]


def can_edit(doc, user):
    """Editors and owners may edit, unless the document is locked; a locked one only its owner."""
    role = doc["members"].get(user)
    if role is None:
        return False
    if doc["locked"]:
        return role == "owner"
    return rank(role) >= rank("editor")


def can_share(doc, user):
    """Sharing needs an owner, and is off for archived documents."""
    role = doc["members"].get(user)
    return role == "owner" or not doc["archived"]
