import csv
import io


def rows(text):
    """Sales from CSV text: region, product, cents."""
    for record in csv.DictReader(io.StringIO(text)):
        yield record["region"], record["product"], int(record["cents"])


def only(sales, region):
    return (sale for sale in sales if sale[0] == region)
