"""Making adapters: from the folder that PEFT writes to an entry of the registry (`suture_agent.adapters`), with a form for llama.cpp.

`pack.register` is what a training run calls at its end. What an adapter is, where it lies and whom it serves is decided one floor below.
"""
