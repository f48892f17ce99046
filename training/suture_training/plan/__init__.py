"""What a training run takes: memory on each GPU, sandboxes, hours. Arithmetic alone: nothing here needs torch, a GPU or the model.

`shapes` counts parameters exactly (tested against transformers on the meta device), `memory` adds up bytes, `rates` turns published rates
into hours, `planning` looks for a layout that fits and says what would where none does, `command` is what `suture train plan` calls.
"""
