"""What the server does with each message, by chapter of the protocol. `FEATURES` in `server` names them all."""
