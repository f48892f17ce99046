from sales.figures import by_product, shares, total
from sales.source import only, rows


def region_report(text, region):
    sales = only(rows(text), region)
    lines = [f"{region}: {total(sales)}"]
    for product, cents in sorted(by_product(sales).items()):
        lines.append(f"  {product}: {cents}")
    return lines


def best_product(text):
    percent = shares(rows(text))
    if not percent:
        return None
    return max(percent, key=percent.get)
