"""One palette for every picture: Okabe–Ito, light and dark, with a shape beside each colour.

Host A is blue and host B orange, everywhere.  Colours are CSS variables, so one
picture serves a light and a dark page.  A page may say which it is (JupyterLab and
the book's theme do, with an attribute); otherwise the reader's system decides.
The orange of Okabe–Ito is too pale for thin lines and small text on white, and its
blue too dark on black: there a darker and a lighter shade of the same hue stand in.
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

OKABE_ITO: Mapping[str, str] = {
    "black": "#000000", "orange": "#E69F00", "sky": "#56B4E9", "green": "#009E73",
    "yellow": "#F0E442", "blue": "#0072B2", "vermillion": "#D55E00", "purple": "#CC79A7",
}  # fmt: skip

_LIGHT: Mapping[str, str] = {
    "bg": "var(--jp-layout-color0,var(--pst-color-background,#fff))",
    "panel": "#f6f7f9",
    "fg": "#1b1f24",
    "mute": "#57606a",
    "line": "#c3cad2",
    "a": "#0072B2",
    "a-fill": "#dcecf7",
    "b": "#9a5700",
    "b-fill": "#fbe9c6",
    "lost": "#b34a00",
    "new": "#00704f",
}
_DARK: Mapping[str, str] = {
    "bg": "var(--jp-layout-color0,var(--pst-color-background,#14181c))",
    "panel": "#1d232a",
    "fg": "#e8ebee",
    "mute": "#a3adb8",
    "line": "#46505b",
    "a": "#56B4E9",
    "a-fill": "#123a55",
    "b": "#E69F00",
    "b-fill": "#4a3509",
    "lost": "#ff8a3c",
    "new": "#3fd0a4",
}


def _block(selector: str, colours: Mapping[str, str]) -> str:
    return selector + "{" + "".join(f"--tn-{name}:{value};" for name, value in colours.items()) + "}"


def variables() -> str:
    """The CSS that gives ``.tn`` its colours, for light and dark pages."""
    return (
        _block(".tn", _LIGHT)
        + "@media (prefers-color-scheme:dark){" + _block(".tn", _DARK) + "}"
        + _block("[data-jp-theme-light=true] .tn,html[data-theme=light] .tn,.tn.tn-light", _LIGHT)
        + _block("[data-jp-theme-light=false] .tn,html[data-theme=dark] .tn,.tn.tn-dark", _DARK)
    )  # fmt: skip


# Faces of one width: boxes are drawn around text whose width is only estimated.
FONT = "Arial,Helvetica,'Liberation Sans',sans-serif"
MONO = "ui-monospace,'SF Mono','DejaVu Sans Mono','Liberation Mono',Menlo,Consolas,monospace"

# How the parts of all pictures look.  Class names are short: they are written once for each element.
DRAWING = (
    f".tn svg{{display:block;font-family:{FONT};color:var(--tn-fg);overflow:visible}}"
    ".tn svg text{fill:var(--tn-fg);font-size:11px}"
    ".tn svg .m{fill:var(--tn-mute);font-size:9.5px}"
    ".tn svg .s{font-size:9.5px}"
    ".tn svg .b{font-weight:600}"
    ".tn svg .h{font-size:13px;font-weight:700}"
    f".tn svg .c{{font-family:{MONO};font-size:9.5px}}"
    ".tn svg .halo{paint-order:stroke;stroke:var(--tn-bg);stroke-width:4px;stroke-linejoin:round}"
    ".tn svg .A{--c:var(--tn-a);--f:var(--tn-a-fill)}.tn svg .B{--c:var(--tn-b);--f:var(--tn-b-fill)}"
    ".tn svg .t{fill:var(--c)}"
    ".tn svg .l{stroke:var(--c);fill:none;stroke-width:1.6}"
    ".tn svg .life{stroke:var(--c);stroke-width:2}"
    ".tn svg .p{fill:var(--f);stroke:var(--c);stroke-width:1.3}"
    ".tn svg .g{stroke:var(--tn-line);fill:none}"
    ".tn svg .e{fill:none;stroke:var(--tn-line);stroke-dasharray:2 3}"
    ".tn svg .head{fill:var(--c);stroke:none}.tn svg .ans .head{fill:var(--tn-bg);stroke:var(--c);stroke-width:1.4}"
    ".tn svg .gap{stroke:var(--tn-bg);stroke-width:2.5;fill:none}"
    ".tn svg .x{stroke:var(--tn-lost);stroke-width:2.4;fill:none}.tn svg .xt{fill:var(--tn-lost);font-weight:700}"
    # On a narrow screen drawings shrink: their small print must not.
    "@media (max-width:480px){.tn svg text{font-size:12px}.tn svg .s,.tn svg .m,.tn svg .c{font-size:11px}"
    ".tn svg .b{font-size:11.5px}.tn svg .h{font-size:14px}.tn svg .node text{font-size:12px}"
    ".tn svg .arc text{font-size:9.5px}}"
    ".tn svg .dash{stroke-dasharray:5 4}"
)


def stylesheet() -> str:
    """Variables and drawing rules: what a picture needs to stand by itself."""
    return variables() + DRAWING


def text(content: object) -> str:
    """``content`` as text between tags."""
    return escape(str(content))


def attr(content: object) -> str:
    """``content`` as an attribute value, quotes included."""
    return quoteattr(str(content))


def host_class(position: int) -> str:
    """CSS class of the host in this column: the first is A (blue), all others B (orange)."""
    return "A" if position == 0 else "B"


def number(value: float) -> str:
    """A coordinate with at most one decimal, without a trailing zero."""
    return f"{value:.1f}".rstrip("0").rstrip(".") if value % 1 else str(int(value))
