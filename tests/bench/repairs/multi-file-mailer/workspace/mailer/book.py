from mailer.address import normalise, valid


class AddressBook:
    def __init__(self):
        self._lists = {}

    def subscribe(self, name, address):
        address = normalise(address)
        if not valid(address):
            raise ValueError(f"not an address: {address}")
        members = self._lists.setdefault(name, [])
        if address not in members:
            members.append(address)

    def members(self, name):
        return tuple(self._lists.get(name, ()))
