from raingauge.gauge import Reading, parse_log
from raingauge.rainfall import daily_rainfall, monthly_totals, wettest_day

__all__ = ["Reading", "daily_rainfall", "monthly_totals", "parse_log", "wettest_day"]
