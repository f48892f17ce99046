from restclient.client import Client, Request

__all__ = ["Client", "Request"]
