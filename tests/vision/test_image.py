import io
import os
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from resemote_edge.errors import InputError
from resemote_edge.vision.drawn import drawn_faces
from resemote_edge.vision.image import MAX_FILE_BYTES, decode, read_face, read_faces, read_rgb, require_files
from resemote_edge.vision.preprocessing import PreprocessSpec, to_gray

ORIENTATION = 0x0112


@pytest.fixture
def gray():
    return np.asarray(Image.fromarray(drawn_faces(1)[0]).convert("L"))


def saved(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def png(pixels, *, depth=16, color=0, extra=b""):
    """A PNG of any depth and colour type, with the chunks of ``extra`` before the pixels."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    height, width = pixels.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2" if depth == 16 else ">u1").tobytes() for row in pixels)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_depth_and_mode_make_no_difference(gray, tmp_path):
    images = {
        "gray.png": Image.fromarray(gray),
        "rgb.png": Image.fromarray(gray).convert("RGB"),
        "rgba.png": Image.fromarray(gray).convert("RGBA"),
        "palette.gif": Image.fromarray(gray).convert("P"),
        "gray.tiff": Image.fromarray(gray),
        "gray.bmp": Image.fromarray(gray),
        "gray.pgm": Image.fromarray(gray),
        "deep.png": Image.fromarray(gray.astype(np.uint16) * 257),
        "deep.tiff": Image.fromarray(gray.astype(np.uint16) * 257),
        "deep.pgm": Image.fromarray(gray.astype(np.uint16) * 257),
    }
    for name, image in images.items():
        image.save(tmp_path / name)
        assert np.array_equal(read_rgb(tmp_path / name), np.repeat(gray[..., None], 3, axis=2)), name


@pytest.mark.parametrize("color", [0, 2, 4, 6])
def test_sixteen_bits_that_are_all_used_stay_right(gray, color):
    deep = gray.astype(np.uint16) * 257
    channels = {0: [deep], 2: [deep] * 3, 4: [deep, deep * 0 + 65535], 6: [deep] * 3 + [deep * 0 + 65535]}[color]
    pixels = decode(png(np.stack(channels, axis=-1), color=color))
    assert np.array_equal(pixels if pixels.ndim == 2 else to_gray(pixels, "rgb"), gray)


@pytest.mark.parametrize("color", [0, 2, 4, 6])
@pytest.mark.parametrize("bits", [8, 9, 10, 11, 12, 14])
def test_sixteen_bits_of_which_some_are_used_are_refused(gray, bits, color):
    shallow = gray.astype(np.uint16) * 257 >> (16 - bits)
    channels = {0: [shallow], 2: [shallow] * 3, 4: [shallow, shallow * 0 + 65535]}
    channels[6] = [*channels[2], shallow * 0 + 65535]
    with pytest.raises(InputError, match=r"16 bits a channel, and the brightest pixel is at \d+\.\d% of their range"):
        decode(png(np.stack(channels[color], axis=-1), color=color))


@pytest.mark.parametrize("kind", ["TIFF", "PPM"])
def test_ten_bits_in_sixteen_are_refused_in_other_formats(gray, kind):
    with pytest.raises(InputError, match="16 bits a channel"):
        decode(saved(Image.fromarray(gray.astype(np.uint16) << 2), kind))


def test_a_stated_range_below_sixteen_bits_is_followed(gray):
    rows = (gray.astype(int) * 1023 // 255).astype(">u2").tobytes()
    pixels = decode(b"P5\n48 48\n1023\n" + rows)
    assert np.abs(pixels.astype(int) - gray).max() <= 1


@pytest.mark.parametrize("mode", ["F", "I"])
def test_pixels_without_a_range_are_refused(gray, mode):
    with pytest.raises(InputError, match="no stated range"):
        decode(saved(Image.fromarray(gray).convert(mode), "TIFF"))


@pytest.mark.parametrize("orientation", range(10))
def test_exif_orientation_is_followed(gray, orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    image = Image.fromarray(gray[:30])
    turned = Image.open(io.BytesIO(saved(image, "PNG", exif=exif)))
    assert np.array_equal(decode(saved(image, "PNG", exif=exif)), np.asarray(ImageOps.exif_transpose(turned)))


def decoded_or_refused(data):
    """Whether it is an image, or refused as one; any other error is the test's."""
    try:
        return decode(data).dtype == np.uint8
    except InputError as error:
        return str(error).startswith("not a readable image (")


MALFORMED = {
    "no TIFF": b"Exif\0\0garbage!",
    "cut": b"Exif\0\0II*\0",
    "far away": b"Exif\0\0II*\0\xff\xff\xff\x7f",
    "many entries": b"Exif\0\0MM\0*\0\0\0\x08\xff\xff",
    "empty": b"Exif\0\0",
    "odd type": b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x63\0\x01\0\0\0\x06\0\0\0\0\0\0\0",
    "text": b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\xff\xff\xff\x7f\x06\0\0\0\0\0\0\0",
}


@pytest.mark.parametrize("exif", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_malformed_exif_is_an_error_of_the_image(gray, kind, exif):
    data = saved(Image.fromarray(gray).convert("RGB"), kind, exif=exif, **({"quality": 95} if kind == "JPEG" else {}))
    assert decoded_or_refused(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM"])
def test_flipped_bytes_end_in_an_image_or_an_error_of_the_image(gray, kind):
    whole = saved(Image.fromarray(gray).convert("RGB"), kind)
    rng = np.random.default_rng(0)
    for _ in range(60):
        data = bytearray(whole[: rng.integers(1, len(whole) + 1)])
        for place in rng.integers(0, len(data), 4):
            data[place] = rng.integers(256)
        assert decoded_or_refused(bytes(data))


POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 48 48\n(ran) (w) file closefile showpage\n"
FOREIGN = {
    "PostScript": POSTSCRIPT,
    "a PDF file": b"%PDF-1.7\n",
    "a HEIC image": b"\0\0\0\x18ftypheic\0\0\0\0",
    "an AVIF image": b"\0\0\0\x18ftypavif\0\0\0\0",
    "a Photoshop file": b"8BPS\0\x01",
    "a JPEG 2000 image": b"\0\0\0\x0cjP  \r\n\x87\n",
    "an icon": b"\0\0\x01\0\x01\0\x10\x10",
    "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
    "a web page": b"\n<!DOCTYPE html><html>",
    "an XML file": b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
    "a zip archive": b"PK\x03\x04\x14\0",
    "a gzip archive": b"\x1f\x8b\x08\0",
    "a tar archive": b"a" * 257 + b"ustar\x0000",
    "an empty file": b"",
    "none of the formats that are read": b"hello",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_no_image_that_is_read_is_named(name, tmp_path):
    (tmp_path / "face.jpg").write_bytes(FOREIGN[name])
    with pytest.raises(InputError) as caught:
        read_rgb(tmp_path / "face.jpg")
    assert f"face.jpg: not a readable image ({name}, and only JPEG, PNG, WEBP, BMP, GIF, TIFF, PPM are read); " in str(
        caught.value
    )


@pytest.mark.parametrize("kind", ["EPS", "PDF", "ICO", "TGA", "PCX", "SGI", "DDS", "JPEG2000", "MSP", "XBM"])
def test_pillow_s_other_formats_are_refused(gray, kind):
    with pytest.raises(InputError, match="not a readable image"):
        decode(saved(Image.fromarray(gray).convert("1" if kind in ("MSP", "XBM") else "RGB"), kind))


def test_no_program_is_started_for_postscript(tmp_path):
    # A stand-in for Ghostscript, first on the path, says whether it was called.
    ghostscript = tmp_path / "gs"
    ghostscript.write_text(f"#!/bin/sh\ntouch {tmp_path}/called\n")
    ghostscript.chmod(0o755)
    (tmp_path / "face.png").write_bytes(POSTSCRIPT)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    code = f"from resemote_edge.vision.image import read_rgb; read_rgb({str(tmp_path / 'face.png')!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert "InputError" in done.stderr
    assert not (tmp_path / "called").exists()


def test_files_that_are_none_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    with (tmp_path / "sparse.png").open("wb") as stream:
        stream.truncate(20_000_000_000)
    words = {
        tmp_path / "pipe.png": "a pipe rather than a file",
        tmp_path / "folder.png": "a folder rather than a file",
        tmp_path / "gone.png": "no such image file",
        tmp_path / "loop.png": "cannot be read",
        tmp_path / "sparse.png": "20,000 MB; files of up to 268 MB are read",
        "/dev/zero": "a device rather than a file",
    }
    for path, expected in words.items():
        for read in (read_rgb, lambda path: require_files([path])):
            with pytest.raises(InputError) as caught:
                read(path)
            assert str(path) in str(caught.value)
            assert expected in str(caught.value)
    assert MAX_FILE_BYTES < 2**30


def test_a_crop_too_small_is_named(tmp_path):
    Image.new("RGB", (5, 90)).save(tmp_path / "thin.png")
    with pytest.raises(InputError, match=r"thin\.png: 5x90"):
        read_face(tmp_path / "thin.png")


def test_too_many_pixels_are_refused(gray):
    whole = bytearray(saved(Image.fromarray(gray), "PNG"))
    whole[16:24] = struct.pack(">II", 30_000, 30_000)
    whole[29:33] = struct.pack(">I", zlib.crc32(whole[12:29]))
    with pytest.raises(InputError, match="900000000 pixels"):
        decode(bytes(whole))


@pytest.mark.parametrize("input_format", ["tensor", "gray-u8", "rgb-u8", "bgr-u8"])
def test_faces_at_the_network_s_size_give_the_same_input(input_format, tmp_path):
    spec = PreprocessSpec(input=input_format)
    paths = []
    for index, face in enumerate(drawn_faces(3, side=90)):
        paths.append(tmp_path / f"{index}.png")
        image = Image.fromarray(face[: 90 - 7 * index])
        (image.convert("L") if index == 2 else image).save(paths[-1])
    small, color = read_faces(paths, spec)
    assert {crop.shape[:2] for crop in small} == {(64, 64)}
    assert np.array_equal(spec(small, color), spec([read_face(path) for path in paths], "rgb"))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "CMYK", "LA"])
def test_large_images_are_converted_in_strips_as_in_one(mode):
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (1500, 1100, 3), dtype=np.uint8)).convert(mode)
    kind = "TIFF" if mode == "CMYK" else "PNG"
    want = np.asarray(image if mode == "L" else image.convert("RGB"))
    assert np.array_equal(decode(saved(image, kind)), want)
