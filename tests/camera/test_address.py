"""Addresses: their schemes, and what of them may be shown."""

import pytest

from resemote_edge.camera.address import scheme_of, without_secrets


@pytest.mark.parametrize(
    ("address", "scheme"),
    [
        ("0", ""),
        ("film.mp4", ""),
        ("/dev/video0", ""),
        ("RTSP://host/x", "rtsp"),
        ("webhook+https://host", "webhook+https"),
        ("gst:videotestsrc ! appsink", "gst"),
        ("./odd name:with colon", ""),
    ],
)
def test_the_scheme_of_an_address(address, scheme):
    assert scheme_of(address) == scheme


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("film.mp4", "film.mp4"),
        ("rtsp://host/path?a=1", "rtsp://host/path?..."),
        ("rtsp://me:secret@host:554/path", "rtsp://***@host:554/path"),
        ("rtsp://:secret@host/path", "rtsp://***@host/path"),
        ("rtsp://token@host/path", "rtsp://***@host/path"),
        ("mqtt://me:p@ss@host/topic", "mqtt://***@host/topic"),
        ("http://host/s?token=abc&size=2", "http://host/s?..."),
        ("rtsp://me:secret@[::1]:8554/x", "rtsp://***@[::1]:8554/x"),
        ("rtsp://me:secret@[::1/x", "rtsp://***@[::1/x"),
        ("rtsp://me:se/cret@host/x", "rtsp://***@host/x"),
        ("rtsp://me:se#cret@host/x", "rtsp://***@host/x"),
        ("rtsp://me:se?cret@host/x", "rtsp://***@host/x"),
        ("rtsp://me:12/34@host/x", "rtsp://***@host/x"),
        ("rtsp://host/cam@1", "rtsp://host/cam@1"),
        ("gst:rtspsrc location=rtsp://me:secret@host/x ! appsink", "gst:rtspsrc location=rtsp://***@host/x ! appsink"),
        (
            "gst:a location=http://one/x ! b uri=rtsp://me:pw@two/y?t=1",
            "gst:a location=http://one/x ! b uri=rtsp://***@two/y?...",
        ),
        (
            "gst:rtspsrc location=rtsp://host/x user-id=me user-pw=secret ! appsink",
            "gst:rtspsrc location=rtsp://host/x user-id=*** user-pw=*** ! appsink",
        ),
        (
            'gst:souphttpsrc user-pw="a secret" location=http://host/x',
            "gst:souphttpsrc user-pw=*** location=http://host/x",
        ),
    ],
)
def test_what_is_shown_of_an_address(address, shown):
    assert without_secrets(address) == shown
