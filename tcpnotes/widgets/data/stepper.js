// The stepper's logic: an index into a list of steps, and a page that shows the step it points at.
// `data` is what payload.py made; `tell` is called with the index whenever it changes.
function mount(root, data, start, tell) {
  const steps = data.steps, count = steps.length;
  let index = -1;
  window.tcpnotesCount = (window.tcpnotesCount || 0) + 1;
  const uid = "tn" + window.tcpnotesCount + "-";
  const el = (tag, css, text) => {
    const made = document.createElement(tag);
    if (css) made.className = css;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const own = (svg, part) => svg
    .replace(/(\sid|aria-labelledby)=(["'])(.*?)\2/g, (_, name, quote, ids) =>
      name + '="' + ids.split(" ").map((id) => uid + part + id).join(" ") + '"');
  const side = (column) => (column === 0 ? "A" : "B");
  root.classList.add("tn", "tn-stepper", "tn-live", "tn-whole");
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", data.title);
  root.setAttribute("tabindex", "-1");
  // JupyterLab: keys pressed in here are ours, not the notebook's.
  root.setAttribute("data-lm-suppress-shortcuts", "true");

  const app = el("div", "tn-app");
  app.innerHTML =
    '<div class="tn-top"><p class="tn-title"></p><code class="tn-link" title="this very step"></code>' +
    '<button type="button" class="tn-copy" data-action="copy" hidden>Copy link</button></div>' +
    '<div class="tn-head"><div class="tn-capbox"><div class="tn-caption" aria-live="polite" aria-atomic="true"></div></div>' +
    '<div class="tn-bar"><div class="tn-buttons" role="toolbar" aria-label="Steps">' +
    '<button type="button" data-action="first" aria-label="First step"><span aria-hidden="true">|◀</span> First</button>' +
    '<button type="button" data-action="back" aria-label="Back one step"><span aria-hidden="true">◀</span> Back</button>' +
    '<button type="button" data-action="forward" class="tn-next" aria-label="Next step">Next <span aria-hidden="true">▶</span></button>' +
    '<button type="button" data-action="last" aria-label="Last step">Last <span aria-hidden="true">▶|</span></button>' +
    '</div><div class="tn-slider"><div class="tn-marks" aria-hidden="true"></div>' +
    '<input type="range" min="1" step="1" aria-label="Step"></div>' +
    '<span class="tn-count"></span>' +
    '<button type="button" data-action="whole" aria-pressed="true">Hide what comes</button>' +
    '<button type="button" data-action="keys" aria-expanded="false" aria-label="Keys">?</button></div></div>' +
    '<div class="tn-keys" hidden>With the focus in here: <kbd>←</kbd> <kbd>p</kbd> back, <kbd>→</kbd> <kbd>n</kbd> next, ' +
    '<kbd>Home</kbd> first, <kbd>End</kbd> last, <kbd>w</kbd> what comes, <kbd>?</kbd> this list. ' +
    'The slider takes the arrow keys too. With the focus in the call tree: <kbd>↑</kbd> <kbd>↓</kbd> what a function means.</div>' +
    '<div class="tn-stage"></div>' +
    '<p class="tn-legend">Thick border: now. Dashed: before. Bold arc: the move just made. Dotted: another socket of the host. ' +
    'Rounded box: socket; vessel: bucket. Filled arrow: request; hollow: answer; dashed: on its way; ✕: lost. ' +
    'On the slider: ● a state changes, ■ a bucket, ✕ a loss; host ' + "</p>";
  root.insertBefore(app, root.firstChild);
  const pick = (selector) => app.querySelector(selector);
  pick(".tn-title").textContent = data.title;
  pick(".tn-legend").append(data.hosts[0] + " above" + (data.hosts[1] ? ", " + data.hosts[1] + " below." : "."));
  const stage = pick(".tn-stage"), slider = pick("input"), box = (css, heading) => {
    const made = el("div", "tn-box " + css), h = el("h4", "", heading + " ");
    // Large print for the eye; the headings of the page are not interrupted.
    h.setAttribute("role", "presentation");
    h.append(el("span"));
    made.append(h);
    stage.append(made);
    return made;
  };
  slider.max = count;

  const boxes = data.hosts.map((name, i) => {
    const d = box("tn-dia " + (i ? "tn-db " : "tn-da ") + side(i), "Host " + name);
    const [body, w, h] = data.diagram;
    d.insertAdjacentHTML("beforeend",
      own('<svg viewBox="0 0 ' + w + " " + h + '" role="img"><title></title>' + body + "</svg>", "d" + i + "-"));
    const svg = d.querySelector("svg");
    const find = (kind, name) => svg.querySelector('[id="' + uid + "d" + i + "-" + kind + "-" + CSS.escape(name) + '"]');
    return {
      box: d, svg, nodes: data.nodes.map((n) => find("n", n)), arcs: data.arcs.map((a) => find("e", a)),
    };
  });
  const rungs = box("tn-l", "Segments");
  const scroller = el("div", "tn-rungs");
  scroller.setAttribute("tabindex", "0");
  scroller.setAttribute("role", "group");
  scroller.setAttribute("aria-label", "Ladder of segments");
  scroller.innerHTML = own(data.ladder, "l-");
  rungs.append(scroller);
  const ladder = scroller.querySelector("svg");
  const nowline = document.createElementNS("http://www.w3.org/2000/svg", "path");
  nowline.setAttribute("class", "tn-nowline");
  ladder.append(nowline);
  const parts = [...ladder.querySelectorAll("[data-s]")].map((node) => {
    const line = node.classList.contains("seg") ? node.querySelector(".l") : null;
    const whole = line && line.getAttribute("d");
    return {
      node, line, whole, points: whole && whole.match(/-?[\d.]+/g).map(Number),
      from: +node.dataset.s, to: node.dataset.e === undefined ? (line ? Infinity : -1) : +node.dataset.e,
    };
  });
  const queues = data.hosts.map((name, i) => {
    const q = box("tn-q " + (i ? "tn-qb " : "tn-qa ") + side(i), "Queues of " + name);
    const inside = el("div"), wheels = el("div");
    q.append(inside, wheels);
    return { inside, wheels, shown: -1, wheel: -1 };
  });
  const calls = box("tn-t", "Kernel functions");
  const tree = el("ul", "tn-tree"), fn = el("div", "tn-fn");
  tree.setAttribute("tabindex", "0");
  tree.setAttribute("role", "listbox");
  tree.setAttribute("aria-label", "Call tree: choose a function to see what it means");
  calls.append(tree, fn);
  const changed = box("tn-d", "Changed in this step");
  const table = el("div", "tn-scroll");
  table.setAttribute("tabindex", "0");
  table.setAttribute("role", "group");
  table.setAttribute("aria-label", "Changed fields");
  changed.append(table);

  const marks = pick(".tn-marks");
  for (const [step, column, kind, words] of data.marks) {
    const mark = el("i", side(column) + " " + kind, kind === "s" ? "●" : kind === "b" ? "■" : "✕");
    mark.style.left = (count > 1 ? (100 * step) / (count - 1) : 0) + "%";
    mark.title = words;
    marks.append(mark);
  }
  const details = root.querySelector("details.tn-steps");
  const listed = details ? [...details.querySelectorAll("li")] : [];
  if (details) details.open = false;

  function caption(step, into) {
    into.className = "tn-caption " + side(step.h);
    into.replaceChildren(el("span", "tn-when", "at " + step.t + " s"));
    for (const id of step.i || []) into.append(el("span", "tn-item", id));
    into.append(el("span", "", step.c));
    for (const id of step.i || []) {
      if (data.items[id]) into.append(el("span", "tn-itemtext", id + ": " + data.items[id]));
    }
  }
  // Room for the longest caption, so that nothing below it moves from step to step.
  function room() {
    const probe = el("div");
    probe.style.cssText = "position:absolute;visibility:hidden;left:0;right:0;min-height:0;margin:0";
    pick(".tn-capbox").append(probe);
    let most = 0;
    const long = (s) => s.c.length + (s.i || []).reduce((n, id) => n + 40 + (data.items[id] || "").length, 0);
    for (const step of [...steps].sort((a, b) => long(b) - long(a)).slice(0, 12)) {
      caption(step, probe);
      most = Math.max(most, Math.ceil(probe.getBoundingClientRect().height));
    }
    probe.remove();
    pick(".tn-capbox").style.minHeight = most + "px";
  }
  function diagrams(step) {
    boxes.forEach((b, i) => {
      const [current, previous, arcs, also, been, who, gone, moved] = step.p[i];
      const set = (node, css) => node && node.classList.add(css);
      for (const node of [...b.nodes, ...b.arcs]) {
        if (node) node.classList.remove("current", "previous", "taken", "been", "also", "moved");
      }
      been.forEach((a) => set(b.arcs[a], "been"));
      arcs.forEach((a) => { b.arcs[a]?.classList.remove("been"); set(b.arcs[a], "taken"); });
      also.forEach((n) => set(b.nodes[n], "also"));
      if (previous >= 0) { b.nodes[previous].classList.remove("also"); set(b.nodes[previous], "previous"); }
      if (current >= 0) {
        b.nodes[current].classList.remove("previous", "also");
        b.nodes[current].classList.add("current");
        if (moved) b.nodes[current].classList.add("moved");
      }
      const words = data.words[who];
      b.box.querySelector("h4 span").textContent = words;
      b.svg.querySelector("title").textContent = "Host " + data.hosts[i] + ": " + words;
    });
  }
  // Measured when the width changes, so that a step asks the page for nothing.
  let sizes = { scale: 1, view: 0, most: 0, tree: Infinity, line: 18 }, scrolled = 0;
  scroller.addEventListener("scroll", () => { scrolled = scroller.scrollTop; }, { passive: true });
  function measure() {
    sizes = {
      scale: ladder.getBoundingClientRect().width / ladder.viewBox.baseVal.width || 1,
      view: scroller.clientHeight, most: scroller.scrollHeight - scroller.clientHeight, tree: tree.clientHeight,
      line: tree.firstElementChild ? tree.firstElementChild.getBoundingClientRect().height : 18,
    };
  }
  function rungsAt(step) {
    nowline.setAttribute("d", "M0 " + step.y + "H" + ladder.viewBox.baseVal.width);
    for (const p of parts) {
      const later = p.from > step.f;
      p.node.classList.toggle("tn-later", later);
      if (!p.line) continue;
      const air = !later && p.to > step.f;
      p.node.classList.toggle("tn-air", air);
      p.node.classList.toggle("tn-just", p.from === step.f || p.to === step.f);
      let line = p.whole;
      if (air) {
        // On its way: drawn down to the line of now, and never less than a stub.
        const [x1, y1, x2, y2] = p.points;
        const part = Math.min(0.96, Math.max(0.3, (step.y - y1) / Math.max(1, y2 - y1)));
        line = "M" + x1 + " " + y1 + "L" + (x1 + (x2 - x1) * part) + " " + (y1 + (y2 - y1) * part);
      }
      if (p.drawn !== line) p.line.setAttribute("d", (p.drawn = line));
    }
    const { scale, view } = sizes, y = step.y * scale;
    if (view && (y < scrolled + 80 * scale || y > scrolled + view - 50)) {
      const top = Math.max(0, Math.min(y - view * 0.6, sizes.most));
      if (top !== scrolled) scroller.scrollTop = scrolled = top;
    }
  }
  function queuesAt(step) {
    queues.forEach((q, i) => {
      if (q.shown !== step.q[i]) q.inside.innerHTML = data.drawings[(q.shown = step.q[i])];
      if (step.b[i] >= 0 && q.wheel !== step.b[i]) q.wheels.innerHTML = data.drawings[(q.wheel = step.b[i])];
    });
  }
  function callsAt(step) {
    const [number, shown, depth] = step.k;
    const lines = data.trees[number].slice(0, shown);
    tree.className = "tn-tree " + side(step.h);
    let limit = depth, here = -1;
    const open = new Set();
    for (let i = lines.length - 1; i >= 0; i--) {
      if (lines[i][0] < limit) {
        limit = lines[i][0];
        open.add(i);
        if (here < 0) here = i;
      }
    }
    tree.replaceChildren(...lines.map(([d, name], i) => {
      const li = el("li", i === here ? "open here" : open.has(i) ? "open" : "",
        (i === here ? "▶ " : open.has(i) ? "│ " : "· ") + "  ".repeat(d) + data.words[name]);
      li.setAttribute("role", "option");
      li.id = uid + "f" + i;
      if (i === here) li.setAttribute("aria-current", "true");
      return li;
    }));
    if (!lines.length) {
      tree.append(el("li", "", "no kernel function yet"));
      tree.lastElementChild.setAttribute("role", "option");
    }
    if (lines.length * sizes.line > sizes.tree) {
      tree.scrollTop = (here < 0 ? lines.length : here) * sizes.line - sizes.tree * 0.6;
    }
    listing = lines;
    choose(here);
  }
  // What a function of the tree means: the one at work, until the reader asks about another.
  let listing = [], chosen = -1;
  function choose(i) {
    chosen = i;
    fn.replaceChildren();
    [...tree.children].forEach((li, j) => li.setAttribute("aria-selected", j === i));
    if (i < 0 || !listing[i]) return tree.removeAttribute("aria-activedescendant");
    tree.setAttribute("aria-activedescendant", uid + "f" + i);
    const name = data.words[listing[i][1]], [file, meaning, more] = data.about[name] || ["", "", ""];
    fn.append(el("code", "", name), (file ? " (" + file + ")" : "") + (meaning ? ": " + meaning : ""));
    if (!more) return;
    const whole = el("details", "tn-more");
    whole.append(el("summary", "", "More about it"), el("pre", "", more));
    fn.append(whole);
  }
  tree.addEventListener("click", (event) => {
    const at = [...tree.children].indexOf(event.target.closest("li"));
    if (listing[at]) choose(at);
  });
  tree.addEventListener("keydown", (event) => {
    const way = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!way || !listing.length) return;
    event.preventDefault();
    choose(Math.min(Math.max(chosen + way, 0), listing.length - 1));
    tree.children[chosen].scrollIntoView({ block: "nearest" });
  });
  function changesAt(step) {
    if (!step.d) {
      table.replaceChildren(el("p", "tn-none", index ? "Nothing in sk or in a bucket." : "This is the beginning."));
      return;
    }
    const made = el("table", "tn-diff"), head = el("tr"), body = el("tbody");
    for (const name of ["where", "field", "old", "new"]) head.append(el("th", "", name));
    for (const [column, thing, field, old, now] of step.d) {
      const row = el("tr", side(column));
      const was = el("td");
      was.append(el("s", "", old));
      row.append(el("td", "", thing), el("td", "", field), was, el("td", "", now));
      body.append(row);
    }
    const top = el("thead");
    top.append(head);
    made.append(top, body);
    table.replaceChildren(made);
  }
  function go(to, quiet) {
    to = Math.min(Math.max(Math.round(to) || 0, 0), count - 1);
    if (to === index) return;
    index = to;
    const step = steps[index];
    caption(step, pick(".tn-caption"));
    diagrams(step);
    rungsAt(step);
    queuesAt(step);
    callsAt(step);
    changesAt(step);
    slider.value = index + 1;
    slider.setAttribute("aria-valuetext", "step " + (index + 1) + " of " + count + ": " + step.c);
    pick(".tn-count").textContent = "step " + (index + 1) + " of " + count;
    pick(".tn-link").textContent = data.scenario + "@" + (index + 1) + (data.rest || "");
    root.dataset.step = index + 1;
    for (const name of ["first", "back"]) pick("[data-action=" + name + "]").disabled = index === 0;
    for (const name of ["forward", "last"]) pick("[data-action=" + name + "]").disabled = index === count - 1;
    listed.forEach((li, i) => (i === index ? li.setAttribute("aria-current", "step") : li.removeAttribute("aria-current")));
    if (!quiet && tell) tell(index);
  }
  const actions = {
    first: () => go(0),
    back: () => go(index - 1),
    forward: () => go(index + 1),
    last: () => go(count - 1),
    whole: () => {
      const on = root.classList.toggle("tn-whole");
      pick("[data-action=whole]").setAttribute("aria-pressed", on);
      pick("[data-action=whole]").textContent = on ? "Hide what comes" : "Show what comes";
    },
    copy: () => copyLink(root, pick(".tn-link").textContent, pick("[data-action=copy]")),
    keys: () => {
      const list = pick(".tn-keys");
      list.hidden = !list.hidden;
      pick("[data-action=keys]").setAttribute("aria-expanded", !list.hidden);
    },
  };
  app.addEventListener("click", (event) => {
    const button = event.target.closest("[data-action]");
    if (!button) return;
    actions[button.dataset.action]();
    // A button that has just become useless loses the focus; keep it in the stepper.
    if (button.disabled) root.focus({ preventScroll: true });
  });
  slider.addEventListener("input", () => go(slider.value - 1));
  const keys = {
    ArrowLeft: "back", p: "back", ArrowRight: "forward", n: "forward", Home: "first", End: "last", w: "whole", "?": "keys",
  };
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const name = keys[event.key];
    // Neither the notebook nor the page may take a key that is meant for us.
    if (name || event.key.startsWith("Arrow") || event.key.startsWith("Page")) event.stopPropagation();
    if (!name || (event.target === slider && event.key.length > 1)) return;
    event.preventDefault();
    actions[name]();
    if (document.activeElement && document.activeElement.disabled) root.focus({ preventScroll: true });
  });
  // Where a kernel is told (tell), the page is a notebook, and an address that names a step leads nowhere.
  pick("[data-action=copy]").hidden = !!tell;
  window.addEventListener("beforeprint", () => { if (details) details.open = true; });
  go(start, true);
  let width = 0;
  new ResizeObserver(() => {
    // Also when it comes back from a hidden tab: scroll positions are lost there.
    if (root.clientWidth === width) return;
    width = root.clientWidth;
    if (!width) return;
    room();
    measure();
    rungsAt(steps[index]);
    callsAt(steps[index]);
  }).observe(root);
  return { go: (to) => go(to, true) };
}
// The steppers of a page by the names that links use: the second of a scenario is "scenario.2".
function namesake(root) {
  const all = [...document.querySelectorAll("tcpnotes-stepper")].filter((one) => one.dataset.scenario === root.dataset.scenario);
  const at = all.indexOf(root);
  return at > 0 ? "." + (at + 1) : "";
}
function copyLink(root, link, button) {
  const address = new URL(location.href), scenario = root.dataset.scenario;
  address.search = "";  // where there is one it says how this reader got in, or carries a token
  address.hash = link.replace(scenario, scenario + namesake(root));
  const say = (text) => {
    button.textContent = text;
    setTimeout(() => { button.textContent = "Copy link"; }, 2000);
  };
  const byHand = () => {
    const field = document.createElement("textarea");
    field.value = address.href;
    root.append(field);
    field.select();
    say(document.execCommand("copy") ? "Copied" : "Not allowed here");
    field.remove();
    button.focus({ preventScroll: true });
  };
  if (navigator.clipboard) navigator.clipboard.writeText(address.href).then(() => say("Copied"), byHand);
  else byHand();
}
// "…#scenario@step" opens the stepper of that name at that step, counted from 1; true when `root` is the one.
function opened(root, go) {
  let wanted = "";
  try { wanted = decodeURIComponent(location.hash); } catch { return false; }
  const [, scenario, , nth, step] = wanted.match(/^#([\w-]+)(\.(\d+))?@(\d+)/) || [];
  if (scenario !== root.dataset.scenario || namesake(root) !== (nth > 1 ? "." + nth : "")) return false;
  go(step - 1);
  root.scrollIntoView({ block: "start", behavior: "instant" });
  root.focus({ preventScroll: true });
  // Who shows one part of a page at a time (slides) may turn to the one that holds it.
  root.dispatchEvent(new CustomEvent("tcpnotes-opened", { bubbles: true }));
  return true;
}
