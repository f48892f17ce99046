from contacts.files import Contact, load, save

__all__ = ["Contact", "load", "save"]
