from profiles.defaults import DEFAULTS


class Profile:
    def __init__(self, name, settings=None):
        self.name = name
        self.settings = dict(DEFAULTS) if settings is None else settings

    def set(self, section, key, value):
        self.settings.setdefault(section, {})[key] = value

    def get(self, section, key):
        return self.settings[section][key]

    def clone(self, name):
        return Profile(name, self.settings.copy())

    def add_ruler(self, column):
        rulers = self.settings["editor"]["rulers"]
        if column not in rulers:
            rulers.append(column)
            rulers.sort()
