from pager.core import Page, paginate, page_count

__all__ = ["Page", "page_count", "paginate"]
