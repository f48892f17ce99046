from library.members import Members


def test_numbers_are_given_in_order():
    members = Members()
    assert [members.join("Ann").card, members.join("Bob").card] == [1, 2]


def test_find():
    members = Members()
    ann = members.join("Ann")
    assert members.find(1) is ann
    assert members.find(2) is None


def test_email():
    members = Members()
    members.join("Ann", "ann@example.org")
    members.join("Bob")
    assert members.email_of(1) == "ann@example.org"
    assert members.email_of(2) is None
