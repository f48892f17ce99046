class Canvas:
    def __init__(self):
        self.shapes = []
        self._undo = []
        self._redo = []

    def _remember(self):
        self._undo.append(self.shapes)
        self._redo.clear()

    def draw(self, kind, **style):
        self._remember()
        self.shapes.append({"kind": kind, **style})

    def recolour(self, index, colour):
        self._remember()
        self.shapes[index]["colour"] = colour

    def undo(self):
        if not self._undo:
            return False
        self._redo.append(self.shapes)
        self.shapes = self._undo.pop()
        return True

    def redo(self):
        if not self._redo:
            return False
        self._undo.append(self.shapes)
        self.shapes = self._redo.pop()
        return True
