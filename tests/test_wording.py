"""Numbers in lines."""

from burnish.wording import counted


def test_one_is_singular_and_large_numbers_are_grouped() -> None:
    assert [counted(number, "image") for number in (0, 1, 2, 1024)] == ["0 images", "1 image", "2 images", "1,024 images"]
    assert (counted(1, "patch", "patches"), counted(2, "patch", "patches")) == ("1 patch", "2 patches")
    assert (counted(0.5, "minute"), counted(1.0, "minute"), counted(15.0, "minute")) == ("0.5 minutes", "1 minute", "15 minutes")
