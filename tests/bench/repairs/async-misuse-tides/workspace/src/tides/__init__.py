from tides.board import TideBoard

__all__ = ["TideBoard"]
