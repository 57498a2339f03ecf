// Nothing runs off a slide: each section is tried in larger and smaller type, side by side with its picture, and, when
// that is not enough, told on several slides.  Done once, before the slides are shown, at 1280 by 720.
const SIZES = [28, 26, 24, 22, 20, 18];
const ROOM = { width: 1168, height: 616 };
const paper = /[?&]print-pdf/.test(location.search);

// The parts of a section, each with what it needs to be a slide by itself.
function partsOf(section) {
  const parts = [];
  for (const cell of [...section.children]) {
    if (cell.matches("aside.notes")) continue;
    const index = cell.dataset.fragmentIndex;
    const inside = cell.matches(".cell") ? [...cell.children] : [cell];
    for (const one of inside) {
      for (const part of one.matches(".out") && !one.matches("pre") ? unpack(one) : [one]) {
        if (one.matches(".md.out")) part.classList.add("md");
        if (index !== undefined && index !== "0") {
          part.classList.add("fragment");
          part.dataset.fragmentIndex = index;
        }
        parts.push(part);
      }
    }
  }
  return parts;
}
// What a drawing brings with it for its looks is said once, before the deck's own style.
const shared = new Set(), looks = document.createElement("style");
document.querySelector("link[href$='deck.css']").before(looks);
function share(style) {
  if (!shared.has(style.textContent)) looks.append(style.textContent);
  shared.add(style.textContent);
  style.remove();
}
// What a cell has put out: pictures of a gallery one by one, the words of a table, a stepper, a card.
function unpack(out) {
  out.querySelectorAll("script:not([type])").forEach((node) => node.remove());
  out.querySelectorAll("style").forEach(share);
  const found = [];
  for (const child of [...out.children]) {
    if (child.matches("div.tn-play")) continue;  // how to act oneself, in a notebook
    if (child.matches(".tn-gallery")) {
      const group = document.createElement("div");
      group.className = "tn tn-picture deck-pictures";
      group.append(...child.querySelectorAll("figure.tn-one"));
      found.push(group);
    } else if (child.matches("figure.tn-picture")) {
      const group = document.createElement("div");
      group.className = "tn tn-picture deck-pictures";
      const one = document.createElement("figure");
      one.className = "tn-one";
      one.append(child.querySelector("svg"));
      group.append(one);
      found.push(group);
    } else if (child.matches("div:not(.tn-card)") && child.querySelector(".tn-gallery, .tn-picture, tcpnotes-stepper")) {
      found.push(...unpack(child));
    } else if (!child.matches("details")) found.push(child);
  }
  return found;
}
const isPicture = (part) => part.matches(".deck-pictures");
const isStepper = (part) => part.matches("tcpnotes-stepper");
const isHeading = (part) => /^H[1-4]$/.test(part.tagName);
const wide = (part) => part.matches("table, pre, .highlight, .tn-card, tcpnotes-stepper, .tn-strip") || part.querySelector("table, pre");

class Fitter {
  constructor(section) {
    this.section = section;
    this.running = "";
  }
  body(parts, css, size) {
    const body = document.createElement("div");
    body.className = "deck-body " + css;
    body.style.fontSize = size + "px";
    body.append(...parts);
    this.section.replaceChildren(...(this.runs(parts) ? [this.runs(parts)] : []), body);
    return body;
  }
  // A slide without a heading of its own says what it belongs to.
  runs(parts) {
    if (!this.running || parts.some(isHeading)) return null;
    const line = document.createElement("p");
    line.className = "deck-running";
    line.append(this.running);
    return line;
  }
  fits(body) {
    // A quiz says why below the answer that was picked, a prediction marks its answers: they need room to grow.
    const grows = body.querySelector("tcpnotes-quiz") ? 90 : body.querySelector("tcpnotes-predict") ? 24 : 0;
    return body.scrollHeight <= ROOM.height - grows && body.scrollWidth <= ROOM.width + 1;
  }
  stacked(parts, sizes = SIZES) {
    for (const size of sizes) if (this.fits(this.body(parts, "", size))) return true;
    return false;
  }
  // Words left, picture right.
  beside(parts) {
    const pictures = parts.filter(isPicture);
    if (pictures.length !== 1 || pictures[0].children.length !== 1 || parts.some(wide)) return false;
    const picture = pictures[0], width = picture.querySelector("svg").getBoundingClientRect().width;
    const words = parts.filter((part) => part !== picture);
    if (!words.length || width > 740) return false;
    const column = document.createElement("div");
    column.className = "deck-words";
    column.append(...words.filter((part) => !isHeading(part)));
    for (const size of SIZES) {
      const body = this.body([...words.filter(isHeading), column, picture], "deck-beside", size);
      if (this.fits(body) && column.scrollWidth <= column.clientWidth) return true;
    }
    column.replaceWith(...column.childNodes);
    return false;
  }
}

// Every drawing large enough; ladders that are higher than a slide are cut, and told piece by piece.
function prepare(part, room) {
  if (!isPicture(part)) return;
  for (const figure of [...part.children]) {
    const svg = figure.querySelector("svg");
    if (!svg) continue;
    const size = enlargeLadder(svg) || enlargeOther(svg), most = room - (figure.querySelector("figcaption") ? 40 : 0);
    if (size.height <= most) continue;
    const pieces = size.ladder ? cutLadder(svg, room - 40) : cutPicture(svg, size, most);
    const stack = document.createElement("div");
    stack.className = "r-stack deck-stack";
    pieces.forEach((piece, i) => {
      if (pieces.length > 1) {
        piece.classList.add("fragment", ...(i === 0 ? ["fade-out"] : i < pieces.length - 1 ? ["current-visible"] : []));
        piece.dataset.fragmentIndex = 100 + Math.max(0, i - 1);
      }
      stack.append(piece);
    });
    svg.replaceWith(stack);
  }
}
function enlargeOther(svg) {
  const { width, height } = svg.viewBox.baseVal;
  const sizes = [...svg.querySelectorAll("text")].map((text) => parseFloat(getComputedStyle(text).fontSize));
  const scale = Math.min(LEAST / Math.min(LEAST, ...sizes), ROOM.width / width);
  for (const text of svg.querySelectorAll("text")) {
    if (parseFloat(getComputedStyle(text).fontSize) * scale < LEAST) text.style.fontSize = LEAST / scale + "px";
  }
  svg.style.width = width * scale + "px";
  svg.style.maxWidth = "none";
  return { width: width * scale, height: height * scale, scale };
}

// What is higher than a slide, in pieces that are not; the first may be lower.  One piece where it cannot be cut.
function cut(part, room, first) {
  if (part.matches("ul, ol") && part.children.length > 1) {
    return cutRows(part, [...part.children], room, first, (rows, at) => {
      const list = part.cloneNode(false);
      if (part.tagName === "OL") list.start = (part.start || 1) + at;
      list.append(...rows);
      return list;
    });
  }
  const table = part.matches("table") ? part : part.matches(".md") ? part.querySelector(":scope > table") : null;
  if (table) {
    const head = table.tHead, high = head ? head.offsetHeight : 0;
    return cutRows(table, [...table.tBodies[0].rows], room - high, first - high, (rows) => {
      const made = table.cloneNode(false), body = document.createElement("tbody");
      if (head) made.append(head.cloneNode(true));
      body.append(...rows);
      made.append(body);
      return made;
    });
  }
  const pre = part.matches("pre") ? part : part.querySelector(":scope > pre");
  if (pre && !part.matches(".tn-card")) return cutLines(part, pre, room);
  if (part.matches(".tn-strip")) return cutRows(part, [...part.children], room, first, (frames) => {
    const made = part.cloneNode(false);
    made.append(...frames);
    return made;
  });
  if (isPicture(part) && part.children.length > 1) return rowsOf(part);
  if (part.matches("tcpnotes-predict")) return cutPrediction(part, room);
  return [part];
}
// A long prediction is asked for in parts; each knows its own answers.
function cutPrediction(card, room) {
  const rows = [...card.querySelectorAll("tbody tr")], body = card.querySelector("tbody");
  if (!rows.length) return [card];
  const fields = (some) => some.reduce((count, row) => count + row.querySelectorAll("select").length, 0);
  return cutRows(card, rows, room - (card.offsetHeight - body.offsetHeight) - 40, 0, (some) => {
    const made = card.cloneNode(true), at = rows.indexOf(some[0]), before = fields(rows.slice(0, at));
    [...made.querySelectorAll("tbody tr")].forEach((row, i) => { if (i < at || i >= at + some.length) row.remove(); });
    const script = made.querySelector("script.tn-data"), data = JSON.parse(script.textContent);
    data.answers = data.answers.slice(before, before + fields(some));
    script.textContent = JSON.stringify(data);
    return made;
  });
}
function cutRows(whole, rows, room, first, make) {
  const measured = rows.map((row) => [row.offsetTop, row.offsetTop + row.offsetHeight]), pieces = [];
  let some = [], at = 0, most = measured[0][1] - measured[0][0] <= first ? first : room;
  rows.forEach((row, i) => {
    if (some.length && measured[i][1] - measured[at][0] > most) {
      pieces.push([some, at]);
      some = [];
      at = i;
      most = room;
    }
    some.push(row);
  });
  pieces.push([some, at]);
  return pieces.length > 1 ? pieces.map(([part, start]) => make(part, start)) : [whole];
}
function cutLines(part, pre, room) {
  const lines = pre.innerHTML.replace(/\n+$/, "").split("\n");
  const most = Math.max(4, Math.floor((room - 40) / ((pre.offsetHeight - 20) / lines.length)));
  const pieces = [];
  while (lines.length) {
    // Where a line is empty, or begins at the left, there is a good place to go on.
    let take = Math.min(most, lines.length);
    if (take < lines.length) {
      for (let i = take; i > most / 2; i--) if (!lines[i - 1].trim()) { take = i; break; }
    }
    const made = part.cloneNode(false), block = made.matches("pre") ? made : pre.cloneNode(false);
    if (block !== made) made.append(block);
    block.innerHTML = lines.splice(0, take).join("\n").replace(/^(\s*\n)+|\s+$/g, "");
    if (block.textContent.trim()) pieces.push(made);
  }
  return pieces.length > 1 ? pieces : [part];
}
// The pictures of a gallery, as many side by side as there is room for.
function rowsOf(part) {
  const rows = [];
  let row = null, used = 0;
  for (const figure of [...part.children]) {
    const width = figure.getBoundingClientRect().width;
    if (!row || used + width + 30 > ROOM.width) {
      rows.push((row = part.cloneNode(false)));
      used = -30;
    }
    row.append(figure);
    used += width + 30;
  }
  return rows;
}

// One section becomes as many as are needed; `running` is the heading that it stands under.  Returns the heading.
function fit(section, running) {
  const fitter = new Fitter(section), notes = [...section.querySelectorAll(":scope > aside.notes")];
  fitter.running = running;
  let parts = partsOf(section);
  if (paper) parts = parts.flatMap(unrolled);
  const heading = parts.find(isHeading)?.textContent || running;
  section.classList.add("deck-fitting");
  fitter.body(parts, "", 24);  // drawings are measured where they stand
  parts.forEach((part) => prepare(part, ROOM.height - (parts.length > 1 ? 70 : 30)));
  const sections = [section];
  if (!whole(fitter, parts)) {
    const groups = distribute(fitter, parts);
    fitter.section.replaceChildren();
    groups.forEach((group, i) => {
      const into = i ? section.cloneNode(false) : section;
      if (i) {
        into.removeAttribute("data-at");
        sections.at(-1).after(into);
        sections.push(into);
      }
      const one = new Fitter(into);
      one.running = i ? heading : running;
      sections.forEach((other) => other.classList.toggle("deck-fitting", other === into));
      if (!whole(one, group)) hold(one, group);
    });
  }
  sections.forEach((one, i) => {
    one.classList.remove("deck-fitting");
    finish(one, notes, i > 0);
  });
  return heading;
}
function whole(fitter, parts) {
  if (parts.some(isStepper)) return fitter.stacked(parts, SIZES.slice(2));
  if (parts.some(isPicture) && parts.length > 1 && fitter.beside(parts)) return true;
  return fitter.stacked(parts);
}
// Parts to slides: in order, a heading never last, in type that can be read with ease.
function distribute(fitter, parts) {
  const queue = [...parts], groups = [], size = 22;
  let group = [];
  const close = () => {
    const heads = [];
    while (group.length > 1 && isHeading(group.at(-1))) heads.unshift(group.pop());
    if (group.length) groups.push(group);
    group = heads;
  };
  while (queue.length) {
    const part = queue.shift();
    if (fitter.fits(fitter.body([...group, part], "", size))) {
      group.push(part);
      continue;
    }
    const begun = group.length > 0 && !group.every(isHeading);
    const used = group.length ? fitter.body(group, "", size).scrollHeight + 24 : 0;
    if (begun && fitter.fits(fitter.body([part], "", size))) {
      close();
      group.push(part);
      continue;
    }
    fitter.body([part], "", size);
    const pieces = cut(part, ROOM.height - (begun ? 0 : used), begun && ROOM.height - used > 200 ? ROOM.height - used : 0);
    if (pieces.length > 1) {
      pieces.forEach((piece) => keep(part, piece));
      queue.unshift(...pieces);
    } else if (begun) queue.unshift(part);
    else group.push(part);  // too large even alone: `hold` sees to it
    if (begun && !(pieces.length > 1 && fitter.fits(fitter.body([...group, pieces[0]], "", size)))) close();
    else if (pieces.length === 1) close();
  }
  if (group.length) groups.push(group);
  return groups;
}
function keep(from, to) {
  if (from === to || !from.matches(".fragment")) return;
  to.classList.add("fragment");
  to.dataset.fragmentIndex = from.dataset.fragmentIndex;
}
// What still does not fit: in a box that scrolls, and says so; on paper it is made smaller.
function hold(fitter, parts) {
  const body = fitter.body(parts, "", 18), large = parts.find((part) => !isHeading(part)) || parts[0];
  if (paper) {
    body.style.zoom = Math.min(ROOM.height / body.scrollHeight, ROOM.width / body.scrollWidth);
    return;
  }
  const others = body.scrollHeight - large.offsetHeight;
  const box = document.createElement("div");
  box.className = "deck-scroll";
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", "scrolls");
  box.style.maxHeight = ROOM.height - others - 8 + "px";
  large.replaceWith(box);
  box.append(large);
}
// A stepper on paper: its title, and its frames.
function unrolled(part) {
  const steppers = isStepper(part) ? [part] : [...part.querySelectorAll("tcpnotes-stepper")];
  if (!steppers.length) return [part];
  return steppers.flatMap((stepper) => {
    const { title, strip } = tcpnotesStrip(stepper), head = document.createElement("p"), box = document.createElement("div");
    head.className = "deck-strip-title";
    head.textContent = title;
    strip.classList.add("tn");
    box.className = "tn";
    return [head, strip];
  });
}
function finish(section, notes, goesOn) {
  const parts = [...section.querySelectorAll(".fragment")], body = section.querySelector(".deck-body");
  // A slide does not begin empty.
  const first = body && [...body.children].find((part) => !isHeading(part));
  if (first?.matches(".fragment") && !first.matches(".fade-out")) {
    const index = first.dataset.fragmentIndex;
    for (const part of parts) if (part.dataset.fragmentIndex === index && !part.closest(".deck-stack")) part.classList.remove("fragment");
  }
  for (const note of notes) {
    const copy = note.cloneNode(true);
    copy.querySelectorAll("[id]").forEach((node) => node.removeAttribute("id"));
    if (goesOn) {
      const line = document.createElement("p");
      line.textContent = "(goes on)";
      copy.prepend(line);
    }
    section.append(copy);
  }
  for (const stepper of section.querySelectorAll("tcpnotes-stepper")) {
    const list = stepper.querySelector("details.tn-steps ol");
    if (!list) continue;
    const aside = document.createElement("aside"), title = document.createElement("p");
    aside.className = "notes";
    title.textContent = "The steps of this run:";
    aside.append(title, list.cloneNode(true));
    section.append(aside);
  }
}
