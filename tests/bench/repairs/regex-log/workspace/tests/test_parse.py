from accesslog.parse import errors, parse_line

PLAIN = '10.0.0.1 [12/May/2024:10:00:00] "GET /index.html" 200 512'
AGENT = '10.0.0.2 [12/May/2024:10:00:01] "GET /a b" 404 - "curl/8.0"'
REFERRED = '10.0.0.3 [12/May/2024:10:00:02] "POST /form" 302 17 "bot "x" 200 9"'


def test_plain():
    hit = parse_line(PLAIN)
    assert (hit.host, hit.request, hit.status, hit.size) == ("10.0.0.1", "GET /index.html", 200, 512)
    assert hit.agent == ""


def test_agent():
    hit = parse_line(AGENT)
    assert hit.agent == "curl/8.0"
    assert hit.size == 0


def test_quotes_after_the_request():
    hit = parse_line(REFERRED)
    assert hit.request == "POST /form"
    assert (hit.status, hit.size) == (302, 17)


def test_other_format():
    assert parse_line("starting up") is None


def test_errors():
    assert [hit.status for hit in errors([PLAIN, AGENT, "noise"])] == [404]
