"""Image files of every format with all that such files carry, made by hand where no program at hand writes it."""

import io
import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import gallery
import numpy as np
import pyvips
import tifffile
from PIL import Image, PngImagePlugin

XMP = (
    "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>"
    "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description rdf:about='' {}/></rdf:RDF></x:xmpmeta>"
    "<?xpacket end='w'?>"
)
RATED = XMP.format("xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmp:Rating='4' xmp:CreatorTool='a tool'").encode()
VIDEO = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + struct.pack(">I4s", 5008, b"mdat") + bytes(range(250)) * 20
IPTC = bytes.fromhex("1c0205000548656c6c6f1c027800024869") + bytes(111)


def exif(order: str = "<") -> bytes:
    """An EXIF block with a rating, private tags, a maker's note, GPS, and a thumbnail (of 24×32 pixels), in a byte order."""
    thumbnail = pyvips.Image.new_from_array(gallery.spoilt()[:24, :32]).jpegsave_buffer(keep="none")
    block = bytearray((b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8))

    def directory(entries: list[tuple[int, int, int, bytes]]) -> bytes:
        at = len(block) + 2 + 12 * len(entries) + 4
        head, far = struct.pack(order + "H", len(entries)), b""
        for tag, kind, count, value in sorted(entries):
            field = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack(order + "I", at + len(far))
            far += value + bytes(len(value) % 2) if len(value) > 4 else b""
            head += struct.pack(order + "HHI", tag, kind, count) + field
        return head + bytes(4) + far

    def size(entries: list[tuple[int, int, int, bytes]]) -> int:
        return len(directory(entries))

    def number(value: int) -> bytes:
        return struct.pack(order + "I", value)

    def short(value: int) -> bytes:
        return struct.pack(order + "H", value)

    inner = [
        (0x829A, 5, 1, number(1) + number(125)),
        (0x9000, 7, 4, b"0232"),
        (0x927C, 7, 80, b"THE MAKER'S OWN NOTE" + bytes(range(60))),
        (0x9286, 7, 13, b"ASCII\0\0\0lakes"),
        (0xFDE8, 2, 12, b"private one\0"),
    ]
    gps = [(0, 1, 4, bytes([2, 3, 0, 0])), (1, 2, 2, b"N\0"), (2, 5, 3, b"".join(map(number, (48, 1, 12, 1, 30, 1))))]
    outer = [
        (0x10F, 2, 12, b"Lens & Sons\0"),
        (0x112, 3, 1, short(6)),
        (0x11A, 5, 1, number(300) + number(1)),
        (0x11B, 5, 1, number(600) + number(1)),
        (0x128, 3, 1, short(2)),
        (0x4746, 3, 1, short(4)),
        (0x4749, 3, 1, short(75)),
        (0x9C9B, 1, 8, "four"[:3].encode("utf-16le") + b"\0\0"),
        (0xC5D8, 3, 3, short(7) + short(8) + short(9)),
    ]
    places = [(0x8769, 4, 1, number(0)), (0x8825, 4, 1, number(0))]
    first = len(block) + size(outer + places)
    second = first + size(inner)
    third = second + size(gps)
    whole = directory([*outer, (0x8769, 4, 1, number(first)), (0x8825, 4, 1, number(second))])
    link = 2 + 12 * (len(outer) + 2)
    block += whole[:link] + number(third) + whole[link + 4 :]
    block += directory(inner)
    block += directory(gps)
    last = [(0x103, 3, 1, short(6)), (0x201, 4, 1, number(0)), (0x202, 4, 1, number(len(thumbnail)))]
    last[1] = (0x201, 4, 1, number(len(block) + size(last)))
    block += directory(last)
    return bytes(block) + thumbnail


# --- JPEG ---


def segment(marker: int, content: bytes) -> bytes:
    """A marker segment."""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def jpeg(*segments: bytes, behind: bytes = b"", **options: object) -> bytes:
    """A JPEG by Pillow with these segments behind its first, and bytes behind its end."""
    buffer = io.BytesIO()
    Image.fromarray(gallery.spoilt()).save(buffer, "JPEG", **{"quality": 92, "dpi": (300, 300), **options})
    data = buffer.getvalue()
    first = 4 + int.from_bytes(data[4:6], "big") if data[3] == 0xE0 else 2
    return data[:first] + b"".join(segments) + data[first:] + behind


def xmp_segment(packet: bytes) -> bytes:
    """An APP1 with XMP."""
    return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet)


def photoshop() -> bytes:
    """An APP13 with IPTC and a path of Photoshop's."""
    return segment(
        0xED,
        b"Photoshop 3.0\0"
        + b"8BIM\x04\x04\0\0"
        + struct.pack(">I", len(IPTC))
        + IPTC
        + b"8BIM\x03\xed\0\0"
        + struct.pack(">I", 16)
        + bytes(16),
    )


def camera_jpeg(order: str = "<") -> bytes:
    """Everything that a camera and an editor write."""
    icc = gallery.profile()
    return jpeg(
        segment(0xE1, b"Exif\0\0" + exif(order)),
        xmp_segment(RATED),
        segment(0xE2, b"ICC_PROFILE\0\x01\x01" + icc),
        segment(0xE5, b"whatever this is\0\xff\x00\xff"),
        segment(0xEC, b"Ducky\0\x01\0\x04\0\0\0\x3c\0\0"),
        photoshop(),
        segment(0xFE, "from the lake, günstig".encode("latin-1")),
        progressive=True,
    )


def extended_xmp() -> bytes:
    """XMP that goes on in further segments."""
    guid = b"0123456789ABCDEF0123456789ABCDEF"
    more = XMP.format("xmlns:a='http://ns.google.com/photos/1.0/image/' a:Data='" + "QUJD" * 20_000 + "'").encode()
    main = XMP.format(f"xmlns:n='http://ns.adobe.com/xmp/note/' n:HasExtendedXMP='{guid.decode()}'").encode()
    parts = [
        segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + guid + struct.pack(">II", len(more), at) + more[at : at + 60_000])
        for at in range(0, len(more), 60_000)
    ]
    return jpeg(xmp_segment(main), *parts)


def motion_jpeg() -> bytes:
    """A photo with its video, which XMP finds by its distance from the end."""
    told = f"xmlns:G='http://ns.google.com/photos/1.0/camera/' G:MicroVideo='1' G:MicroVideoOffset='{len(VIDEO)}'"
    return jpeg(xmp_segment(XMP.format(told).encode()), behind=VIDEO)


def samsung_jpeg() -> bytes:
    """A photo with a maker's own data behind it, which are found from the end."""
    block = b"\0\0\x01\x0a" + struct.pack("<I", 14) + b"Image_UTC_Data" + b"1582876800000"
    head = b"SEFH" + struct.pack("<III", 106, 1, 0x010A0000) + struct.pack("<II", len(block), len(block))
    return jpeg(behind=block + head + struct.pack("<I", len(head)) + b"SEFT")


def multi_picture() -> bytes:
    """Two images with an index, as stereo cameras and such with previews write them."""
    buffer = io.BytesIO()
    first, second = Image.fromarray(gallery.spoilt()), Image.fromarray(gallery.spoilt()[::2, ::2])
    first.save(buffer, "MPO", save_all=True, append_images=[second], quality=80)
    return buffer.getvalue()


def gain_map_jpeg() -> bytes:
    """An Ultra HDR photo."""
    high = pyvips.Image.new_from_array((gallery.spoilt() / 64).astype(np.float32), interpretation="scrgb")
    return bytes(high.uhdrsave_buffer())


def signed_jpeg() -> bytes:
    """A photo with C2PA credentials, and XMP that leads to them."""
    box = struct.pack(">I4s", 60, b"jumb") + struct.pack(">I4s", 37, b"jumd") + b"c2pa\0\x11\0\x10\x80\0\0\xaa\0\x38\x9bq\x03c2pa\0"
    box = box.ljust(60, b"\0")
    told = "xmlns:dcterms='http://purl.org/dc/terms/' dcterms:provenance='self#jumbf=/c2pa/urn:uuid:1' dcterms:title='kept'"
    parts = [segment(0xEB, b"JP\0\x01" + struct.pack(">I", number) + box[:8] + box[at : at + 30]) for number, at in ((1, 8), (2, 38))]
    return jpeg(xmp_segment(XMP.format(told).encode()), *parts)


# --- PNG ---


def chunk(name: bytes, content: bytes) -> bytes:
    """A chunk with its sum."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(before: bytes = b"", after: bytes = b"", behind: bytes = b"", mode: str = "RGB") -> bytes:
    """A PNG by Pillow with these chunks before and behind its pixels, and bytes behind its end."""
    buffer = io.BytesIO()
    image = Image.fromarray(gallery.spoilt())
    image = image.quantize(200) if mode == "P" else image.convert(mode)
    image.save(buffer, "PNG", pnginfo=PngImagePlugin.PngInfo())
    data = buffer.getvalue()
    first = data.index(b"IDAT") - 4
    return data[:first] + before + data[first:-12] + after + data[-12:] + behind


def texts_png() -> bytes:
    """Texts of all three kinds, in Latin-1 and UTF-8, and with a key in Latin-1."""
    latin, utf = "Größe\0schön".encode("latin-1"), "parameters\0\0\0\0\0ünïcode 世界".encode()
    packed = b"Comment\0\0" + zlib.compress("müde".encode("latin-1"))
    return png(
        chunk(b"tEXt", b"Title\0a title") + chunk(b"tEXt", latin) + chunk(b"zTXt", packed) + chunk(b"iTXt", utf),
        chunk(b"tEXt", b"Comment\0behind the pixels") + chunk(b"tIME", struct.pack(">H5B", 2020, 2, 3, 4, 5, 6)),
    )


def described_png() -> bytes:
    """EXIF, XMP, resolution, and every description of colours."""
    return png(
        chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000))
        + chunk(b"gAMA", struct.pack(">I", 45455))
        + chunk(b"cICP", bytes([9, 16, 0, 1]))
        + chunk(b"mDCV", bytes(24))
        + chunk(b"cLLI", struct.pack(">II", 10_000_000, 4_000_000))
        + chunk(b"bKGD", struct.pack(">3H", 1, 2, 3))
        + chunk(b"pHYs", struct.pack(">IIB", 11811, 23622, 1))
        + chunk(b"oFFs", struct.pack(">iiB", 5, 6, 0))
        + chunk(b"sCAL", b"\x011.5\0002.5")
        + chunk(b"sTER", b"\0")
        + chunk(b"prVt", b"may be copied")
        + chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + RATED)
        + chunk(b"eXIf", exif()),
        behind=b"and more",
    )


# --- TIFF ---


def tiff(path: Path, **options: object) -> None:
    """A TIFF by tifffile."""
    tifffile.imwrite(path, **{"data": gallery.spoilt(), "photometric": "rgb", "metadata": None, **options})


GEO = [
    (33550, 12, 3, (0.5, 0.5, 0.0), True),
    (33922, 12, 6, (0.0, 0.0, 0.0, 440720.0, 3751320.0, 0.0), True),
    (34735, 3, 8, (1, 1, 0, 1, 1024, 0, 1, 1), True),
    (34736, 12, 2, (6378137.0, 298.257223563), True),
    (34737, 2, 8, "WGS 84|\0", True),
    (42112, 2, 0, "<GDALMetadata><Item name='a'>b</Item></GDALMetadata>", True),
    (42113, 2, 0, "-9999", True),
    (65000, 3, 3, (7, 8, 9), True),
    (65001, 7, 5, b"\1\2\3\4\5", True),
]


def geo(path: Path, byteorder: str, big: bool) -> None:
    """A GeoTIFF, floats with pixels that hold nothing."""
    pixels = gallery.spoilt()[..., 1].astype(np.float32)
    pixels[30:50, 40:60] = -9999
    tiff(path, data=pixels, photometric="minisblack", extratags=GEO, byteorder=byteorder, bigtiff=big)


def photographed(path: Path, byteorder: str = "<") -> None:
    """A TIFF as an editor hands it over: EXIF, GPS, XMP, IPTC, Photoshop's, a profile."""
    resources = b"8BIM\x03\xed\0\0" + struct.pack(">I", 16) + bytes(16)
    extra = [
        (700, 1, len(RATED), RATED, True),
        (33723, 4, len(IPTC) // 4, struct.unpack(f"{byteorder}{len(IPTC) // 4}I", IPTC), True),
        (34377, 7, len(resources), resources, True),
    ]
    tiff(path, extratags=extra, byteorder=byteorder, iccprofile=gallery.profile(), resolution=(300, 600), software="an editor")
    told = [
        "-Make=Lens",
        "-ExposureTime=1/125",
        "-GPSLatitude=48.2",
        "-GPSLatitudeRef=N",
        "-InteropIndex=R98",
        "-Rating=4",
        "-Orientation#=6",
    ]
    subprocess.run(["exiftool", "-q", "-overwrite_original", *told, str(path)], check=True)


def pages(path: Path) -> None:
    """Pages with names and tags of their own."""
    with tifffile.TiffWriter(path) as writer:
        for page in range(3):
            named = [(285, 2, 0, f"page {page}", True), (297, 3, 2, (page, 3), True), (65000, 4, 1, 70 + page, True)]
            writer.write(gallery.spoilt(f"noise:{8 + page}+8bit"), photometric="rgb", metadata=None, extratags=named)


def imagej(path: Path) -> None:
    """ImageJ's stack, which is big-endian, with labels and a region."""
    stack = np.stack([gallery.spoilt()[..., channel] for channel in range(3)]).astype(np.uint16) * 200
    told = {"axes": "ZYX", "Labels": ["one", "two", "drei"], "Info": "all of it: ä", "ROI": b"Iout\0\1\2\3", "Ranges": (0.0, 65535.0)}
    tifffile.imwrite(path, stack, imagej=True, metadata=told, resolution=(2.5, 2.5), byteorder=">")


def ome(path: Path) -> None:
    """OME-TIFF."""
    stack = np.stack([gallery.spoilt()[..., channel] for channel in range(3)]).astype(np.uint16) * 200
    tifffile.imwrite(path, stack, ome=True, metadata={"axes": "ZYX", "PhysicalSizeX": 0.1}, photometric="minisblack")


# --- WebP, GIF, AVIF ---


def riff(name: bytes, content: bytes) -> bytes:
    """A RIFF chunk."""
    return struct.pack("<4sI", name, len(content)) + content + bytes(len(content) % 2)


def webp() -> bytes:
    """A WebP with a profile, EXIF, XMP and a chunk that nobody knows."""
    buffer = io.BytesIO()
    Image.fromarray(gallery.transparent()).save(buffer, "WEBP", lossless=True, icc_profile=gallery.profile(), exif=exif(), xmp=RATED)
    data = buffer.getvalue() + riff(b"myOw", b"n data")
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]


def moving(kind: str, **options: object) -> bytes:
    """An animation by Pillow, each image shown for another time."""
    buffer = io.BytesIO()
    frames = [Image.fromarray(gallery.spoilt(f"noise:{8 + index}+8bit")) for index in range(3)]
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:], duration=[40, 250, 1000], loop=3, **options)
    return buffer.getvalue()


def gif() -> bytes:
    """An animated GIF with comments, XMP and an application's own block."""
    data = moving("GIF", comment="a comment")
    first = 13 + (3 << (data[10] & 7) + 1)
    magic = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    packet = b"!\xff\x0bXMP DataXMP" + RATED + magic
    own = b"!\xff\x0bMYOWNAPP1.0\x03abc\0"
    return data[:12] + b"\x31" + data[13:first] + packet + own + data[first:-1] + b"!\xfe\x05later\0;" + b"behind"


def avif(pixels: np.ndarray | None = None, **options: object) -> bytes:
    """An AVIF by Pillow."""
    buffer = io.BytesIO()
    Image.fromarray(gallery.spoilt() if pixels is None else pixels).save(buffer, "AVIF", quality=90, subsampling="4:4:4", **options)
    return buffer.getvalue()


def coloured_avif(primaries: int, transfer: int, matrix: int) -> bytes:
    """An AVIF whose colours are described otherwise."""
    data = bytearray(avif())
    at = data.index(b"colrnclx") + 8
    data[at : at + 6] = struct.pack(">3H", primaries, transfer, matrix)
    return bytes(data)


FILES: dict[str, Callable[[], bytes]] = {
    "camera.jpg": camera_jpeg,
    "motorola.jpg": lambda: camera_jpeg(">"),
    "inches.jpg": lambda: jpeg(dpi=(300, 600)),
    "extended.jpg": extended_xmp,
    "motion.jpg": motion_jpeg,
    "samsung.jpg": samsung_jpeg,
    "flir.jpg": lambda: jpeg(segment(0xE1, b"FLIR\0\x01\0\0" + b"FFF\0" + bytes(range(200)))),
    "preview.jpg": lambda: jpeg(segment(0xE0, b"JFXX\0\x13\x02\x02" + bytes(12))),
    "two.jpg": multi_picture,
    "gain.jpg": gain_map_jpeg,
    "signed.jpg": signed_jpeg,
    "rgb.jpg": lambda: jpeg(keep_rgb=True),
    "texts.png": texts_png,
    "described.png": described_png,
    "palette.png": lambda: png(chunk(b"bKGD", b"\x05") + chunk(b"hIST", bytes(400)), mode="P"),
    "unsafe.png": lambda: png(chunk(b"prVT", b"no") + chunk(b"sBIT", b"\x05\x06\x05") + chunk(b"sPLT", b"few\0\x08\1\2\3\xff\0\1")),
    "still.webp": webp,
    "moving.webp": lambda: moving("WEBP", lossless=True, background=(1, 2, 3, 255)),
    "moving.gif": gif,
    "plain.avif": avif,
    "tagged.avif": lambda: avif(exif=exif(), xmp=RATED, icc_profile=gallery.profile()),
    "p3.avif": lambda: coloured_avif(12, 13, 6),
    "pq.avif": lambda: coloured_avif(9, 16, 9),
    "hlg.avif": lambda: coloured_avif(9, 18, 9),
    "hd.avif": lambda: coloured_avif(1, 1, 1),
    "television.avif": lambda: avif(range="limited"),
    "premultiplied.avif": lambda: avif(gallery.transparent(), alpha_premultiplied=True),
}
