from trendline.series import crossings, longest_rise, moving_average

__all__ = ["crossings", "longest_rise", "moving_average"]
