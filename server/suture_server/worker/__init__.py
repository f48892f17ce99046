"""The worker: the process beside the language server that opens one workspace and does what takes time.

It runs checks, repairs, proves and keeps the journal, so that nothing of that shares an event loop or an interpreter lock with the answers
to an editor, and a crash in it costs one message. It is started when there is something to do and ends after a while without work; with the
language server it speaks the records of `wire` over a socket, and it dies with it. What it deliberately is not: it knows nothing of LSP.
"""
