"""Functions that the gallery imports by name: arguments of the programs, and their pictures.

Every program takes ``--picture FILE``, draws there and closes its figure. The build names a file
and puts it on the page. Panels side by side are also cut apart: a program names the one for its
thumbnail in a comment, ``sphinx_gallery_thumbnail_number = 2`` for the first panel.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from sphinx_gallery.scrapers import figure_rst

PANEL = 1.25  # width of a panel over its height


def picture_of(program: str) -> Path:
    """File for the picture of a program: beside it, until it is moved to the page."""
    return Path(program).with_suffix(".png")


def arguments(gallery_conf: dict[str, Any], script_vars: dict[str, Any]) -> list[str]:
    """Command line of a program: where its picture goes."""
    return ["--picture", picture_of(script_vars["src_file"]).name]


def scrape(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Move the picture that a block has drawn to the page, and cut out its panels."""
    from matplotlib import image

    picture = picture_of(block_vars["src_file"])
    if not picture.exists():
        return ""
    paths = block_vars["image_path_iterator"]
    whole = Path(next(paths))
    shutil.move(picture, whole)
    pixels = image.imread(whole)
    height, width = pixels.shape[:2]
    panels = max(1, round(width / height / PANEL))
    for k in range(panels):
        left, right = k * width // panels, (k + 1) * width // panels
        image.imsave(next(paths), pixels[:, left:right])
    title = Path(block_vars["src_file"]).stem.replace("_", " ")
    return figure_rst([str(whole)], gallery_conf["src_dir"], f"{title}, all panels")
