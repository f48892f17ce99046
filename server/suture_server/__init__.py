"""Floor 3: the command line, and later the language server. The only package that knows the command line and LSP.

Importing it, or its `cli`, loads nothing heavy: commands import what they need when they run.
"""
