from wildmatch.match import first_match, matches

__all__ = ["first_match", "matches"]
