from harbour.board import Call, arrivals_board, free_berths, next_berth

__all__ = ["Call", "arrivals_board", "free_berths", "next_berth"]
