from linkstamp.links import stamped_link, visitor_of
from linkstamp.stamps import BadStamp, open_stamp, stamp

__all__ = ["BadStamp", "open_stamp", "stamp", "stamped_link", "visitor_of"]
