"""A picture with a text twin: SVG for the eye, plain text for tests, diffs and screen readers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from tcpnotes.source import say
from tcpnotes.view import theme


@dataclass(frozen=True)
class Picture:
    """A drawing of fixed size that scales down, with a title, a description and a text twin."""

    title: str
    description: str
    body: str  # what stands inside <svg>
    width: float
    height: float
    text: str
    widest: int = 560  # never drawn wider than this, in CSS pixels

    @property
    def key(self) -> str:
        """A short name made from the content: the same picture has the same ids everywhere."""
        return "tn" + blake2b((self.title + self.description + self.body).encode(), digest_size=5).hexdigest()

    def element(self, style: str = "", extra: str = "") -> str:
        """The ``<svg>`` element, to stand in a page; ids carry `key` as a prefix."""
        key = self.key
        body = re.sub(r'\bid="', f'id="{key}-', self.body)
        role = "group" if "<a " in body else "img"  # in an image nothing can be followed
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {theme.number(self.width)} '
            f'{theme.number(self.height)}" role="{role}" aria-labelledby="{key}-t {key}-d"{extra}>'
            f'<title id="{key}-t">{theme.text(self.title)}</title>'
            f'<desc id="{key}-d">{theme.text(self.description)}</desc>{style}{body}</svg>'
        )

    @property
    def svg(self) -> str:
        """A complete SVG document; it follows the reader's choice of light or dark."""
        style = f"<style>{theme.stylesheet()}.tn{{background:var(--tn-bg)}}</style>"
        size = f' class="tn" width="{theme.number(self.width)}" height="{theme.number(self.height)}"'
        # Rules say ".tn svg …" because in a page the class is on an element around the drawing.
        return self.element(style, size).replace(".tn svg ", ".tn ").replace(".tn svg{", ".tn{")

    @property
    def html(self) -> str:
        """A figure for a page, with the text twin folded under it (also what remains where drawings are removed)."""
        return (
            f'<figure class="tn tn-picture" style="margin:0;max-width:{self.widest}px">'
            f"<style>{theme.stylesheet()}{_FIGURE}</style>{self.element()}"
            f"<details><summary>{theme.text(say('picture.as_text', title=self.title))}</summary>"
            f"<pre>{theme.text(self.text)}</pre></details></figure>"
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, str]:
        return {"text/html": self.html, "text/plain": self.text}

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Picture({self.title!r})"


@dataclass(frozen=True)
class Gallery:
    """Pictures to compare: side by side where there is room, else one below the other; each under its title."""

    pictures: tuple[Picture, ...]

    @property
    def text(self) -> str:
        """The text twins, each under its title."""
        return "\n\n".join(f"{picture.title}\n\n{picture.text}" for picture in self.pictures)

    @property
    def html(self) -> str:
        """One figure for each picture, in a grid."""
        figures = "".join(
            f'<figure class="tn-one"><figcaption>{theme.text(picture.title)}</figcaption>{picture.element()}</figure>'
            for picture in self.pictures
        )
        return (
            f'<div class="tn tn-picture tn-gallery"><style>{theme.stylesheet()}{_FIGURE}{_GALLERY}</style>{figures}'
            f"<details><summary>{theme.text(say('picture.same'))}</summary>"
            f"<pre>{theme.text(self.text)}</pre></details></div>"
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, str]:
        return {"text/html": self.html, "text/plain": self.text}

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Gallery({', '.join(repr(picture.title) for picture in self.pictures)})"


def gallery(*pictures: Picture) -> Gallery:
    """Show pictures together."""
    return Gallery(pictures)


_FIGURE = (
    ".tn-picture svg{width:100%;height:auto}"
    ".tn-picture{background:var(--tn-bg);color:var(--tn-fg)}"
    ".tn-picture details{font-size:12px;color:var(--tn-mute);margin-top:4px}"
    ".tn-picture pre{overflow-x:auto;font-size:12px;color:var(--tn-fg);background:var(--tn-panel);padding:6px}"
)
_GALLERY = (
    ".tn-gallery{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(320px,100%),1fr));gap:16px 20px;"
    "align-items:start;max-width:1280px}"
    ".tn-gallery .tn-one{margin:0;min-width:0}"
    ".tn-gallery figcaption{font:700 14px/1.35 Arial,Helvetica,'Liberation Sans',sans-serif;color:var(--tn-fg);"
    "text-align:center;margin:0 0 6px;min-height:2.7em;display:flex;align-items:end;justify-content:center}"
    ".tn-gallery details{grid-column:1/-1}"
)
