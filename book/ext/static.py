"""Scripts, styles and fonts that all pages share: from the library and from npm packages, when the site is built."""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes

from tcpnotes.widgets import assets, cards

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

MATHJAX = Path("node_modules/mathjax/es5")


def script() -> str:
    """What steppers, predictions and quizzes need, once for all pages; their style is a file of its own."""
    return f"{assets.element_script(whole=True, styled=False)}\n{cards.script()}\n"


def style() -> str:
    """The style of everything that the library draws."""
    return f"{assets.style()}{cards.style()}\n"


def write(app: Sphinx, config: Config) -> None:
    """Put the shared files where Sphinx takes static files from."""
    folder = Path(app.srcdir) / "_build" / "static"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("tcpnotes.js", script()), ("tcpnotes.css", style())):
        file = folder / name
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
    mathjax = Path(app.srcdir).parent / MATHJAX
    if mathjax.is_dir() and not (folder / "mathjax").is_dir():
        (folder / "mathjax").mkdir()
        shutil.copy(mathjax / "tex-chtml.js", folder / "mathjax")
        fonts = "output/chtml/fonts/woff-v2"
        shutil.copytree(mathjax / fonts, folder / "mathjax" / fonts)
    config.html_static_path.append(str(folder))


def preview(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """What others show of a page when it is linked: its title, its first sentences, the book's card."""
    title = re.sub(r"<[^>]+>", "", context.get("title", ""))
    opening = next((node.astext() for node in doctree.findall(nodes.paragraph)), "") if doctree else ""
    base = app.config.html_baseurl.rstrip("/")
    image = f"{base}/_static/card.png" if base else context["pathto"]("_static/card.png", 1)
    said = {
        "og:type": "article", "og:site_name": app.config.project, "og:title": html.unescape(title),
        "og:description": " ".join(opening.split())[:200], "og:image": image, "og:image:width": "1200",
        "og:image:height": "630", "og:image:alt": "Two hosts close a TCP connection; ladder and states",
    }  # fmt: skip
    if base:
        said["og:url"] = f"{base}/{pagename}.html"
    tags = [f'<meta property="{key}" content="{html.escape(value)}">' for key, value in said.items() if value]
    tags.append('<meta name="twitter:card" content="summary_large_image">')
    context["metatags"] = context.get("metatags", "") + "\n    ".join(["", *tags])


def setup(app: Sphinx) -> None:
    """Hook in."""
    app.connect("config-inited", write)
    app.connect("html-page-context", preview)
    app.add_css_file("tcpnotes.css")
    app.add_css_file("site.css", priority=900)
    app.add_js_file("site.js")
    app.add_js_file("tcpnotes.js", loading_method="defer")
    app.add_css_file("filmstrip.css", priority=901)
    app.add_js_file("filmstrip.js", loading_method="defer")
