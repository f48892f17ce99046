"""What the OpenAI client raises, in the words of this floor: one boundary, each with a remedy."""

from __future__ import annotations

import re
from collections.abc import Sequence

from suture_agent.errors import ContextOverflow, PolicyError, PolicyRefused, PolicyUnavailable

_TOO_LONG = re.compile(
    r"exceed_context_size|context_length_exceeded|maximum context length|available context size|context size has been exceeded"
    r"|exceeds? the (model's )?(maximum )?context|longer than the maximum model length|prompt is too long|input is too long",
    re.IGNORECASE,
)


def too_long(text: str) -> bool:
    """Whether a server's error says that the request does not fit the context."""
    return _TOO_LONG.search(text) is not None


def is_unknown(error: Exception) -> bool:
    """Whether the server does not have what was named: the model, or an adapter that it had before it was started anew."""
    import openai

    return isinstance(error, openai.NotFoundError)


def translated(error: Exception, url: str, model: str, models: Sequence[str] = ()) -> PolicyError:
    """The error of this floor for what the client raised. `models`: what the server has, where it told."""
    import openai

    if isinstance(error, PolicyError):
        return error
    if isinstance(error, openai.APITimeoutError):
        return PolicyUnavailable(f"{url} did not answer in time", remedy="see whether the server is overloaded, or raise the time-out")
    if isinstance(error, openai.APIConnectionError):
        return PolicyUnavailable(f"nothing answers at {url} ({_cause(error)})", remedy="start it with: suture model serve")
    if isinstance(error, openai.APIStatusError):
        return _status(error, url, model, models)
    text = str(error)
    if too_long(text):
        return ContextOverflow(f"{url}: {_short(text)}", remedy="use a model with a longer context")
    return PolicyError(f"{url}: {_short(text) or type(error).__name__}")


def _status(error: object, url: str, model: str, models: Sequence[str]) -> PolicyError:
    import openai

    assert isinstance(error, openai.APIStatusError)
    code, text = error.status_code, f"{error.message} {error.body or ''}"
    said = f"{url} answered {code}: {_short(error.message)}"
    has = f"the server has {', '.join(models)}" if models else "see which models the server has"
    if too_long(text) or code == 413:
        return ContextOverflow(said, remedy="use a model with a longer context")
    if code in {401, 403}:
        return PolicyRefused(f"{url} does not accept the key ({code})", remedy="set SUTURE_API_KEY to the server's key")
    if code == 404:
        return PolicyRefused(f"{url} does not know {model or 'this request'} (404)", remedy=has)
    if code in {408, 409, 429} or code >= 500:
        return PolicyUnavailable(said, remedy="see the server's log; it was asked several times")
    return PolicyRefused(said, remedy=has if "model" in text.lower() and models else "see the server's log")


def _cause(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return _short(str(error)) or type(error).__name__


def _short(text: str, most: int = 300) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[:most]}..."
