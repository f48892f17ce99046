import pytest

import acl


@pytest.fixture
def doc():
    return {
        "public": False,
        "locked": False,
        "archived": False,
        "members": {"ann": "owner", "bob": "editor", "cy": "viewer"},
    }


def test_private_documents_are_for_members(doc):
    assert acl.can_read(doc, "cy")
    assert not acl.can_read(doc, "dee")


def test_public_documents(doc):
    doc["public"] = True
    assert acl.can_read(doc, "dee")


@pytest.mark.parametrize("user,allowed", [("ann", True), ("bob", True), ("cy", False), ("dee", False)])
def test_edit(doc, user, allowed):
    assert acl.can_edit(doc, user) is allowed


def test_locked(doc):
    doc["locked"] = True
    assert acl.can_edit(doc, "ann")
    assert not acl.can_edit(doc, "bob")


def test_owner_shares(doc):
    assert acl.can_share(doc, "ann")


def test_editor_does_not_share(doc):
    assert not acl.can_share(doc, "bob")


def test_nobody_shares_an_archived_document(doc):
    doc["archived"] = True
    assert not acl.can_share(doc, "ann")


def test_unknown_role():
    with pytest.raises(ValueError):
        acl.rank("king")
