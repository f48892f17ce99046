from __future__ import annotations

from invoicing.model import Invoice

WIDTH = 40


def render(invoice: Invoice) -> str:
    rows = [f"Invoice {invoice.number}", f"For {invoice.customer}", "-" * WIDTH]
    for line in invoice.lines:
        left = f"{line.quantity} x {line.text}"
        rows.append(f"{left:<{WIDTH - 10}}{line.amount:>10}")
    rows.append("-" * WIDTH)
    rows.append(f"{'Total':<{WIDTH - 10}}{invoice.total:>10}")
    return "\n".join(rows)
