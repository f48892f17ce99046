from profiles.profile import Profile


class Manager:
    def __init__(self):
        self.profiles = {}

    def create(self, name, base=None):
        if name in self.profiles:
            raise ValueError("profile exists: " + name)
        profile = self.profiles[base].clone(name) if base else Profile(name)
        self.profiles[name] = profile
        return profile

    def changed(self, one, other):
        """'section.key' of everything in which two profiles differ."""
        a, b = self.profiles[one].settings, self.profiles[other].settings
        keys = {(s, k) for settings in (a, b) for s in settings for k in settings[s]}
        return sorted(f"{s}.{k}" for s, k in keys if a.get(s, {}).get(k) != b.get(s, {}).get(k))
