DEFAULTS = {
    "editor": {"tab": 4, "rulers": [80]},
    "keys": {"save": "ctrl+s"},
}
