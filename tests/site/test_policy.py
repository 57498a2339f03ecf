"""What a page may load is said in it, and scripts that are not the book's are found."""

from __future__ import annotations

import pytest

from ext.policy import hash_of, hurry, touch

PAGE = '<html><head><meta charset="utf-8"><title>t</title></head><body>{}</body></html>'
THEME = 'document.documentElement.dataset.mode = localStorage.getItem("mode") || "auto";'


def test_a_page_without_scripts_inside_runs_none_but_files_of_this_host() -> None:
    html = touch(PAGE.format("")).html
    assert "script-src 'self';" in html
    assert "default-src 'self'" in html
    assert "object-src 'none'" in html


def test_the_policy_stands_before_all_that_it_rules() -> None:
    html = touch(PAGE.format("")).html
    assert html.index("Content-Security-Policy") < html.index("<title>")


def test_a_script_of_the_theme_is_allowed_by_its_hash() -> None:
    done = touch(PAGE.format(f"<script>{THEME}</script>"))
    assert f"'sha256-{hash_of(THEME)}'" in done.html
    assert done.strange == []


@pytest.mark.parametrize(
    "script",
    ["<script>alert(1)</script>", "<SCRIPT type='module'>alert(1)</SCRIPT >", '<script id="a">\nalert(1)\n</script>'],
)
def test_a_script_from_elsewhere_is_reported_and_gets_no_hash(script: str) -> None:
    done = touch(PAGE.format(script))
    assert done.strange == ["alert(1)"]
    assert "sha256" not in done.html


def test_data_for_a_script_is_no_script() -> None:
    data = '<script type="application/json" class="tn-data">{"a":1}</script>'
    done = touch(PAGE.format(data))
    assert data in done.html
    assert done.strange == []
    assert "sha256" not in done.html


def test_what_steppers_share_comes_from_a_file_and_leaves_no_gap() -> None:
    script = '<script>(()=>{if(customElements.get("tcpnotes-stepper"))return;\n})();</script>'
    cell = (
        '<div class="cell tag_remove-input docutils container"><div class="cell_output docutils container">'
        f'<div class="output text_html">{script}</div></div></div>'
    )
    assert "<body></body>" in touch(PAGE.format(cell)).html


def test_an_arrow_in_the_contents_has_a_name() -> None:
    arrow = '<details><summary><span class="toctree-toggle" role="presentation"></span></summary></details>'
    assert '<summary aria-label="Pages under it"><span' in touch(PAGE.format(arrow)).html


def test_a_buttons_name_is_what_can_be_read_on_it() -> None:
    button = (
        '<button class="btn search-button-field x" title="Search" aria-label="Search" data-a="b">Search Ctrl+K</button>'
    )
    assert "aria-label" not in touch(PAGE.format(button)).html


def test_the_index_of_words_is_left_to_the_page_of_results() -> None:
    index = '<script src="../searchindex.js"></script>'
    assert index not in touch(PAGE.format(index)).html
    assert index in touch(PAGE.format(index), searching=True).html
    head = PAGE.replace("</head>", f"{index}</head>").format("")
    assert "searchindex" not in touch(hurry(head)).html


def test_scripts_from_files_do_not_hold_the_page_up() -> None:
    head = '<head><script {}src="a.js"></script><script defer="defer" src="b.js"></script></head>'
    assert hurry(head.format("")) == head.format("defer ")


def test_no_script_inside_a_page_asks_for_one_that_comes_later() -> None:
    head = '<head><script src="documentation_options.js"></script>{}</head>'
    setting = "\n<script>DOCUMENTATION_OPTIONS.pagename = 'a';</script>"
    assert "pagename" not in hurry(head.format(setting))
