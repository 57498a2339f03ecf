"""What this book adds to Sphinx: generated pages, links between them, steppers, and the policy of its pages.

``facts``     what all runs say, turned round          ``pages``      the files of generated pages
``chapters``  what the notebooks speak of              ``reference``  pages of a function, an item, a scenario
``nodes``     small pieces of pages                    ``lists``      pages that list
``links``     names in prose become links              ``stepper``    a stepper in a page's text
``docstrings`` prose of the code, as pages              ``parts``      links to what stands beside the site
``static``    scripts and styles that pages share      ``policy``     what a page may load, and the last touch
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

from ext import docstrings, links, lists, pages, parts, policy, reference, static, stepper

DIRECTIVES = {
    "stepper": stepper.StepperDirective,
    "kernel-function": reference.FunctionPage,
    "item": reference.ItemPage,
    "scenario": reference.ScenarioPage,
    "contents-by-question": lists.ByQuestion,
    "contents-by-step": lists.ByStep,
    "list-of-items": lists.Items,
    "list-of-functions": lists.Functions,
    "list-of-scenarios": lists.Scenarios,
    "list-of-modules": lists.Modules,
    "list-of-words": lists.Words,
    "list-of-symptoms": lists.Symptoms,
    "memory": lists.Memory,
}


def in_parallel(app: Sphinx, config: Config) -> None:
    """Numbering by parts does nothing while pages are read, but does not say so: all would be read one by one."""
    numbering = app.extensions.get("sphinx_multitoc_numbering")
    if numbering is not None and numbering.parallel_read_safe is None:
        numbering.parallel_read_safe = True


def setup(app: Sphinx) -> dict[str, Any]:
    """What Sphinx calls."""
    for name, directive in DIRECTIVES.items():
        app.add_directive(name, directive)
    # Pages that an older state of this package made are made again.
    state = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))))
    app.add_config_value("tcpnotes_ext", state.hexdigest()[:16], "env", str)
    app.connect("config-inited", in_parallel)
    app.connect("config-inited", pages.write)
    app.connect("build-finished", pages.sweep)
    app.add_post_transform(links.FindChapters)
    app.add_post_transform(links.FindNames)
    app.add_post_transform(links.Resolve)
    docstrings.setup(app)
    parts.setup(app)
    static.setup(app)
    policy.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}
