from collections import Counter
import re

STOP = {"a", "an", "and", "in", "is", "of", "on", "the", "to", "with"}


def words(text):
    return [w for w in re.findall(r"[a-z]+", text.lower()) if w not in STOP]


def top(text, n=3):
    """The n most frequent words of a text, most frequent first."""
    counts = Counter(words(text))
    return [word for word in counts.most_common(n)]


def weights(text, n=3):
    """Word -> share of the most frequent one."""
    counts = Counter(words(text))
    if not counts:
        return {}
    highest = counts.most_common(1)[0][1]
    return {word: round(count / highest, 2) for word, count in counts.most_common(n)}
