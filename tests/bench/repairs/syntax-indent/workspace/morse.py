CODE = {
    "a": ".-", "b": "-...", "c": "-.-.", "d": "-..", "e": ".", "h": "....", "i": "..",
    "l": ".-..", "n": "-.", "o": "---", "s": "...", "t": "-", "w": ".--",
}
LETTERS = {code: letter for letter, code in CODE.items()}


def encode(text):
    """Letters are separated by spaces, words by ' / '."""
    words = []
    for word in text.lower().split():
        codes = [CODE[letter] for letter in word if letter in CODE]
        if codes:
            words.append(" ".join(codes))
      return " / ".join(words)


def decode(signal):
    words = signal.split(" / ")
    return " ".join("".join(LETTERS[code] for code in word.split()) for word in words)
