import pytest

from restclient import Client


@pytest.fixture
def client():
    return Client("https://api.example.org/v1/", {"Accept": "application/json"})


def test_get(client):
    request = client.get("/users", {"page": "2"})
    assert request.method == "GET"
    assert request.url == "https://api.example.org/v1/users?page=2"
    assert request.headers == {"accept": "application/json"}


def test_headers_of_one_request(client):
    request = client.get("users", headers={"ACCEPT": "text/csv", "X-Trace": "1"})
    assert request.headers == {"accept": "text/csv", "x-trace": "1"}


def test_next_request_has_its_own_headers(client):
    client.get("users", headers={"Accept": "text/csv"})
    assert client.get("users").headers == {"accept": "application/json"}


def test_post(client):
    request = client.post("users", b"{}", {"Content-Type": "application/json"})
    assert request.headers["content-type"] == "application/json"
    assert request.headers["content-length"] == "2"
    assert request.body == b"{}"


def test_get_after_post(client):
    client.post("users", b"abc")
    assert "content-length" not in client.get("users").headers


def test_earlier_request_stays(client):
    before = client.get("users")
    client.authorize("secret")
    assert "authorization" not in before.headers
    assert client.get("users").headers["authorization"] == "Bearer secret"


def test_clients_share_nothing():
    headers = {"Accept": "*/*"}
    Client("https://a.example.org", headers).authorize("secret")
    assert headers == {"Accept": "*/*"}
    assert Client("https://b.example.org", headers).get("x").headers == {"accept": "*/*"}
