"""The language server: LSP over the one path. The only place that knows the protocol.

It answers from memory. What takes time is done by one worker process a workspace (`suture_server.worker`), so that a check, a proof or an
episode shares neither the event loop nor the interpreter lock with an answer to the editor. What answers a message is in `features`: thin
adapters over plain functions.
"""
