import pytest

from thumbs.layout import derived_path, folder_for, is_derived


def test_folder():
    assert folder_for(64) == "w0064"


@pytest.mark.parametrize(
    ("image_format", "expected"),
    [("webp", "photos/w0320/cat.webp"), ("jpeg", "photos/w0320/cat.jpg"), ("png", "photos/w0320/cat.png")],
)
def test_derived_path(image_format, expected):
    assert derived_path("photos/cat.png", 320, image_format) == expected


def test_unknown_format():
    with pytest.raises(ValueError, match="unknown format"):
        derived_path("a.png", 10, "tiff")


def test_is_derived():
    assert is_derived("photos/w0320/cat.webp")
    assert not is_derived("photos/trip/cat.webp")
