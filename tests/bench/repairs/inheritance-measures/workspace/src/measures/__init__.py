from measures.units import Length, Mass

__all__ = ["Length", "Mass"]
