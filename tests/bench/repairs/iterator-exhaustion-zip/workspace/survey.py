import csv
import io


class Survey:
    """Answers to a questionnaire, from CSV text with a header."""

    def __init__(self, text):
        reader = csv.reader(io.StringIO(text))
        self.questions = next(reader)
        self.answers = map(tuple, reader)

    def column(self, question):
        at = self.questions.index(question)
        return [row[at] for row in self.answers]

    def share(self, question, answer):
        values = self.column(question)
        return values.count(answer) / len(values)

    def crosstab(self, one, other):
        pairs = {}
        for pair in zip(self.column(one), self.column(other)):
            pairs[pair] = pairs.get(pair, 0) + 1
        return pairs
