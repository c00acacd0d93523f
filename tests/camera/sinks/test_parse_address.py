"""Addresses: taken apart exactly, and nothing secret is in their name or in an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sink_parts import ESCAPED_PASSWORD, PASSWORD

from resemote_edge.camera.address import parse_address, shown
from resemote_edge.errors import InputError


@pytest.mark.parametrize(
    ("text", "host", "port", "path", "query"),
    [
        ("mqtt://broker", "broker", None, "", ""),
        ("mqtt://broker:1884/a/b", "broker", 1884, "/a/b", ""),
        ("udp://[::1]:99", "::1", 99, "", ""),
        ("webhook+https://host/path?a=b&c", "host", None, "/path", "a=b&c"),
        ("webhook+https://host?a=/", "host", None, "", "a=/"),
    ],
)
def test_parts(text: str, host: str, port: int | None, path: str, query: str) -> None:
    found = parse_address(text)
    assert (found.host, found.port, found.path, found.query) == (host, port, path, query)
    assert found.user == found.password == ""


def test_user_and_password_are_unescaped_and_not_shown() -> None:
    found = parse_address(f"MQTT://edge%40home:{ESCAPED_PASSWORD}@broker:1884/faces?token=abc")
    assert (found.user, found.password) == ("edge@home", PASSWORD)
    assert found.name == "mqtt://***@broker:1884/faces?..."
    assert "s3cret" not in repr(found)
    assert "token" not in repr(found)


@pytest.mark.parametrize(
    "text",
    [
        "mqtt://",
        "mqtt://:1883/topic",
        "mqtt://broker:0/topic",
        "mqtt://broker:65536/topic",
        "mqtt://broker:secret/topic",
        "mqtt://broker:٣/topic",
        "mqtt://a:b:secret/topic",
        "mqtt://user:sec/ret@broker/topic",
        "mqtt://user:12/secret@broker/topic",
        "mqtt://user:sec?ret@broker/topic",
        "mqtt://user:sec#ret@broker/topic",
        "mqtt://user:sec@ret@broker/topic",
        "mqtt://user:sec ret@broker/topic",
        "mqtt://user:secret@broker/to\npic",
    ],
)
def test_what_is_no_address_is_refused_and_shows_its_scheme_alone(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_address(text)
    assert caught.value.reason.startswith("mqtt://...: ")
    assert caught.value.hint
    assert not any(part in str(caught.value) for part in ("sec", "ret@", "user:"))


@given(st.text(alphabet="ab1:/@?#%[]. ", max_size=12))
def test_a_password_is_never_shown_whatever_surrounds_it(noise: str) -> None:
    text = f"mqtt://user:hush{noise}@broker/topic"
    try:
        name = parse_address(text).name
    except InputError as error:
        name = str(error)
    assert "hush" not in name


def test_text_that_is_no_uri_is_shown_as_it_is() -> None:
    assert shown("film.avi") == "film.avi"
    assert shown("x://user:secret@host") == "x://..."
