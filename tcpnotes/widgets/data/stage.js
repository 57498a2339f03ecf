// What a stepper shows of a step: diagrams, ladder, queues, call tree, changes.
// Every part is made once; a step touches only what differs from what is shown, and reads nothing of the layout.
const el = (tag, css, text) => {
  const made = document.createElement(tag);
  if (css) made.className = css;
  if (text !== undefined) made.textContent = text;
  return made;
};
const svgElement = (tag) => document.createElementNS("http://www.w3.org/2000/svg", tag);
const side = (column) => (column === 0 ? "A" : "B");
const put = (node, text) => {
  if (!node.firstChild) node.textContent = text;
  else if (node.firstChild.data !== text) node.firstChild.data = text;
};
const set = (node, name, value) => {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
};
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
function makeStage(stage, data, uid) {
  const say = data.say, box = (css, heading) => {
    const made = el("div", "tn-box " + css), h = el("h4", "", heading + " ");
    // Large print for the eye; the headings of the page are not interrupted.
    h.setAttribute("role", "presentation");
    h.append(el("span"));
    made.append(h);
    stage.append(made);
    return made;
  };
  const region = (tag, css, label, role) => {
    const made = el(tag, css);
    made.setAttribute("tabindex", "0");
    made.setAttribute("role", role || "group");
    made.setAttribute("aria-label", label);
    return made;
  };
  const canvas = (css, width, height) => {
    const around = el("div", css), svg = svgElement("svg");
    around.style.aspectRatio = width + "/" + height;
    svg.setAttribute("viewBox", "0 0 " + width + " " + height);
    svg.setAttribute("role", "img");
    around.append(svg);
    return [around, svg];
  };

  // -- where both hosts stand ---------------------------------------------------------------------
  const boxes = data.hosts.map((name, i) => {
    const d = box("tn-dia " + (i ? "tn-db " : "tn-da ") + side(i), fill(say.host, { name }));
    const [body, w, h] = data.diagram, [around, svg] = canvas("tn-drawn", w, h), mark = uid + "d" + i + "-";
    svg.innerHTML = "<title></title>" + body.replace(/(\sid=['"])/g, "$1" + mark);
    d.append(around);
    const find = (kind) => (name) => {
      const node = svg.querySelector('[id="' + mark + kind + "-" + CSS.escape(name) + '"]');
      return node && { node, own: node.getAttribute("class"), css: "" };
    };
    return {
      said: d.querySelector("h4 span"), title: svg.firstChild,
      nodes: data.nodes.map(find("n")), arcs: data.arcs.map(find("e")),
    };
  });
  function diagrams(step) {
    boxes.forEach((b, i) => {
      const [current, previous, arcs, also, been, who, , moved] = step.p[i];
      const nodes = {}, ways = {};
      for (const a of been) ways[a] = " been";
      for (const a of arcs) ways[a] = " taken";
      for (const n of also) nodes[n] = " also";
      if (previous >= 0) nodes[previous] = " previous";
      if (current >= 0) nodes[current] = moved ? " current moved" : " current";
      for (const [parts, wanted] of [[b.nodes, nodes], [b.arcs, ways]]) {
        parts.forEach((part, at) => {
          const css = wanted[at] || "";
          if (part && part.css !== css) part.node.setAttribute("class", part.own + (part.css = css));
        });
      }
      put(b.said, data.words[who]);
      put(b.title, fill(say.host, { name: data.hosts[i] }) + ": " + data.words[who]);
    });
  }

  // -- the ladder -----------------------------------------------------------------------------------
  const rungs = box("tn-l", say.segments), scroller = region("div", "tn-rungs", say.ladder);
  const ladder = svgElement("svg"), nowline = svgElement("path");
  const told = ["title", "desc", "g"].map(svgElement), drawn = { arrows: svgElement("g"), beats: svgElement("g") };
  const shown = { arrows: [], beats: [] };  // of each piece its text, its element, what appears in it and when
  ladder.setAttribute("role", "img");
  told[0].id = uid + "t";
  told[1].id = uid + "d";
  ladder.setAttribute("aria-labelledby", uid + "t " + uid + "d");
  nowline.setAttribute("class", "tn-nowline");
  ladder.append(...told, drawn.arrows, drawn.beats, nowline);
  scroller.append(ladder);
  rungs.append(scroller);
  function piece(group, text) {
    group.insertAdjacentHTML("beforeend", text);
    const node = group.lastElementChild;
    const parts = [...(node.dataset.s === undefined ? [] : [node]), ...node.querySelectorAll("[data-s]")].map((part) => {
      const line = part.classList.contains("seg") ? part.querySelector(".l") : null;
      const whole = line && line.getAttribute("d");
      return {
        node: part, own: part.getAttribute("class") || "", css: "", line, whole, drawn: whole,
        points: whole && whole.match(/-?[\d.]+/g).map(Number),
        from: +part.dataset.s, to: part.dataset.e === undefined ? (line ? Infinity : -1) : +part.dataset.e,
      };
    });
    return { text, node, parts };
  }
  function renewLadder() {
    const { title, about, frame, width, height } = data.ladder;
    set(ladder, "viewBox", "0 0 " + width + " " + height);
    put(told[0], title);
    put(told[1], about);
    if (told[2].drawn !== frame) told[2].innerHTML = told[2].drawn = frame;
    for (const name of ["arrows", "beats"]) {
      const wanted = data.ladder[name], there = shown[name];
      let same = 0;
      while (same < there.length && same < wanted.length && there[same].text === wanted[same]) same++;
      for (const old of there.splice(same)) old.node.remove();
      for (const text of wanted.slice(same)) there.push(piece(drawn[name], text));
    }
  }
  function rungsAt(step) {
    set(nowline, "d", "M0 " + step.y + "H" + ladder.viewBox.baseVal.width);
    for (const name of ["arrows", "beats"]) for (const { parts } of shown[name]) for (const p of parts) {
      const later = p.from > step.f, air = p.line && !later && p.to > step.f;
      const just = p.line && (p.from === step.f || p.to === step.f);
      const css = (later ? " tn-later" : "") + (air ? " tn-air" : "") + (just ? " tn-just" : "");
      if (p.css !== css) p.node.setAttribute("class", p.own + (p.css = css));
      if (!p.line) continue;
      let line = p.whole;
      if (air) {
        // On its way: drawn down to the line of now, and never less than a stub.
        const [x1, y1, x2, y2] = p.points;
        const part = Math.min(0.96, Math.max(0.3, (step.y - y1) / Math.max(1, y2 - y1)));
        line = "M" + x1 + " " + y1 + "L" + (x1 + (x2 - x1) * part) + " " + (y1 + (y2 - y1) * part);
      }
      if (p.drawn !== line) p.line.setAttribute("d", (p.drawn = line));
    }
  }

  // -- queues and wheels ------------------------------------------------------------------------------
  const queues = data.hosts.map((name, i) => {
    const q = box("tn-q " + (i ? "tn-qb " : "tn-qa ") + side(i), fill(say.queues, { name }));
    return { q, drawings: [null, null] };
  });
  function queuesAt(step) {
    queues.forEach(({ q, drawings }, i) => {
      [step.q[i], step.b[i]].forEach((number, which) => {
        let there = drawings[which];
        const [label, parts] = number < 0 ? data.idle[i] : data.drawings[number];
        if (!label) {
          if (there) there.around.remove();
          drawings[which] = null;
          return;
        }
        if (!there) {
          const [around, svg] = canvas("tn-drawn", ...data.sizes[which]);
          q.append(around);
          svg.append(...parts.map(() => svgElement("g")));
          there = drawings[which] = { around, svg };
        }
        parts.forEach((part, i) => {
          const group = there.svg.children[i], text = number < 0 ? part : data.parts[part];
          if (group.drawn !== text) group.innerHTML = group.drawn = text;
        });
        set(there.svg, "aria-label", label);
      });
    });
  }

  // -- the kernel functions of the step -------------------------------------------------------------------
  const calls = box("tn-t", say.functions), tree = region("ul", "tn-tree", say.tree, "listbox"), fn = el("div", "tn-fn");
  const about = el("p", "tn-about"), called = el("code", "", " "), meaning = el("span", "", " ");
  const whole = el("details", "tn-more"), more = el("pre", "", " ");
  about.append(called, meaning);
  whole.append(el("summary", "", say.more), more);
  whole.addEventListener("toggle", () => fn.classList.toggle("tn-open", whole.open));
  fn.append(about, whole);
  calls.append(tree, fn);
  const lines = [];  // list elements; as many of them are in the tree as the step has functions
  let listing = [], chosen = -1, here = -1, described;
  function callsAt(step) {
    const [number, shown, depth] = step.k;
    listing = data.trees[number].slice(0, shown);
    let limit = depth;
    const open = new Set();
    here = -1;
    for (let i = listing.length - 1; i >= 0; i--) {
      if (listing[i][0] < limit) {
        limit = listing[i][0];
        open.add(i);
        if (here < 0) here = i;
      }
    }
    const count = Math.max(listing.length, 1);
    while (lines.length < count) {
      const li = el("li", "", " ");
      li.setAttribute("role", "option");
      li.id = uid + "f" + lines.length;
      lines.push(li);
    }
    while (tree.children.length > count) tree.lastChild.remove();
    while (tree.children.length < count) tree.append(lines[tree.children.length]);
    lines.slice(0, count).forEach((li, i) => {
      const [d, name] = listing[i] || [];
      const css = i === here ? "open here " + side(step.h) : open.has(i) ? "open" : "";
      const mark = i === here ? "▶ " : open.has(i) ? "│ " : "· ";
      put(li, listing.length ? mark + "  ".repeat(d) + data.words[name] : say.no_function);
      if (li.className !== css) li.className = css;
      if (i === here) set(li, "aria-current", "true");
      else if (li.hasAttribute("aria-current")) li.removeAttribute("aria-current");
    });
    choose(here);
  }
  // What a function of the tree means: the one at work, until the reader asks about another.
  function choose(i) {
    if (!listing[i]) i = -1;
    chosen = i;
    for (const li of tree.children) set(li, "aria-selected", String(li === lines[i]));
    if (i < 0) tree.removeAttribute("aria-activedescendant");
    else set(tree, "aria-activedescendant", lines[i].id);
    const name = i < 0 ? "" : data.words[listing[i][1]];
    if (described === name) return;
    described = name;
    const [file, says, rest] = data.about[name] || ["", "", ""];
    put(called, name);
    put(meaning, sentence(file, says));
    put(more, rest);
    if (whole.hidden === !!rest) whole.hidden = !rest;
    if (whole.open) whole.open = false;
  }
  const sentence = (file, says) => (file ? " (" + file + ")" : "") + (says ? ": " + says : "");
  // Room for the longest of these sentences, so that nothing moves from step to step.
  function room() {
    const told = Object.entries(data.about).map(([name, [file, says]]) => [name, sentence(file, says)]);
    const [name, says] = told.reduce((a, b) => (a[0].length + a[1].length < b[0].length + b[1].length ? b : a), ["", ""]);
    const probe = el("div", "tn-probe"), line = el("p", "tn-about"), fold = el("details");
    line.append(el("code", "", name), says);
    fold.append(el("summary", "", say.more));
    probe.append(line, fold);
    calls.append(probe);
    const high = probe.offsetHeight;
    probe.remove();
    fn.style.setProperty("--room", high + "px");
  }
  tree.addEventListener("click", (event) => {
    const at = lines.indexOf(event.target.closest("li"));
    if (listing[at]) choose(at);
  });
  tree.addEventListener("keydown", (event) => {
    const way = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!way || !listing.length) return;
    event.preventDefault();
    choose(Math.min(Math.max(chosen + way, 0), listing.length - 1));
    lines[chosen].scrollIntoView({ block: "nearest" });
  });

  // -- what changed -----------------------------------------------------------------------------------------
  const changed = box("tn-d", say.changed), around = region("div", "tn-scroll", say.changed_fields);
  const none = el("p", "tn-none", " "), table = el("table", "tn-diff"), head = el("tr"), body = el("tbody"), rows = [];
  const top = el("thead");
  head.append(...[say.where, say.field, say.old, say.new].map((name) => el("th", "", name)));
  top.append(head);
  table.append(top, body);
  changed.append(around);
  function changesAt(step, index) {
    const made = step.d || [];
    if (!made.length) put(none, index ? say.unchanged : say.beginning);
    const wanted = made.length ? table : none;
    if (around.firstChild !== wanted) around.replaceChildren(wanted);
    if (!made.length) return;
    while (rows.length < made.length) {
      const row = el("tr"), cells = [el("td", "", " "), el("td", "", " "), el("s", "", " "), el("td", "", " ")];
      const was = el("td");
      was.append(cells[2]);
      row.append(cells[0], cells[1], was, cells[3]);
      rows.push({ row, cells });
    }
    while (body.children.length > made.length) body.lastChild.remove();
    while (body.children.length < made.length) body.append(rows[body.children.length].row);
    made.forEach(([column, ...texts], i) => {
      const { row, cells } = rows[i];
      if (row.className !== side(column)) row.className = side(column);
      texts.forEach((text, j) => put(cells[j], text));
    });
  }

  // -- together -----------------------------------------------------------------------------------------------
  let sizes = { scale: 1, view: 0, tree: 0, line: 18 };
  return {
    renew(fresh) {
      data = fresh;
      described = undefined;
      renewLadder();
    },
    at(step, index) {
      diagrams(step);
      rungsAt(step);
      queuesAt(step);
      callsAt(step);
      changesAt(step, index);
    },
    // Both are called when styles and layout are done.
    measure() {
      room();
      sizes = {
        scale: ladder.clientWidth / ladder.viewBox.baseVal.width || 1,  // not pixels of the screen: slides are scaled
        view: scroller.clientHeight, tree: tree.clientHeight,
        line: tree.firstElementChild ? tree.firstElementChild.offsetHeight : 18,
      };
    },
    follow(step) {
      const { scale, view } = sizes, high = ladder.viewBox.baseVal.height, y = step.y * scale, scrolled = scroller.scrollTop;
      if (view && (y < scrolled + 80 * scale || y > scrolled + view - 50)) {
        scroller.scrollTop = Math.max(0, Math.min(y - view * 0.6, high * scale - view));
      }
      if (listing.length * sizes.line > sizes.tree) {
        tree.scrollTop = (here < 0 ? listing.length : here) * sizes.line - sizes.tree * 0.6;
      }
    },
  };
}
