"""The parts of the `direct` harness for small models: localise, show one unit of code, rewrite it, splice it in.

The finding behind it was measured on Qwen2.5-Coder-1.5B: asked for search/replace blocks it repairs almost nothing; asked to write one
function anew, with the answer already begun for it, it repairs most. So suture chooses the place and computes the diff; the policy
only ever writes code.
"""

TEMPLATES_VERSION = "5"
"""Part of the harness's identity: goes up with every change of which edits by rule are made, or of their order."""
