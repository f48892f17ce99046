"""The whole circle at the smallest scale: `make learn` makes a policy of two million parameters, trains it and measures it, on a CPU.

Same code as for Qwen3-32B: the same classes of model, the same episodes in the same sandbox, the same trainers. What is small is the model,
the harness (`line`) and the code that is repaired, which this package writes itself.
"""
