from __future__ import annotations

from minefield.board import Board, Square


class Game:
    def __init__(self, board: Board) -> None:
        self.board = board
        self.opened: set[Square] = set()
        self.flags: set[Square] = set()
        self.lost = False

    @property
    def won(self) -> bool:
        return not self.lost and len(self.opened) + len(self.board.mines) == self.board.width * self.board.height

    def flag(self, square: Square) -> None:
        """Put a flag on a closed square, or take it away."""
        if square not in self.opened:
            self.flags ^= {square}

    def step(self, square: Square) -> None:
        """Open a square, and what can be reached from it without a number in between; flags keep squares closed."""
        if self.lost or square in self.flags:
            return
        if square in self.board.mines:
            self.lost = True
            return
        self._open(square)

    def _open(self, square: Square) -> None:
        if square in self.opened or square in self.flags:
            return
        if self.board.count(square) == 0:
            for neighbour in self.board.neighbours(square):
                self._open(neighbour)
        self.opened.add(square)

    def draw(self) -> str:
        return "\n".join("".join(self._mark((x, y)) for x in range(self.board.width)) for y in range(self.board.height))

    def _mark(self, square: Square) -> str:
        if square in self.flags:
            return "F"
        if square not in self.opened:
            return "#"
        return str(self.board.count(square) or " ")
