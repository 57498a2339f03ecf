// Drawings large enough for the last row: no letter under 18 px, and room made for letters that have grown.
const LEAST = 18;
const FACE = 'Arial, Helvetica, "Liberation Sans", sans-serif';
const pen = document.createElement("canvas").getContext("2d");
// The width of a line of text in px, set as large as it will be.
function inked(text, weight = 400, size = LEAST) {
  pen.font = weight + " " + size + "px " + FACE;
  return pen.measureText(text).width;
}
const number = (node, name) => +node.getAttribute(name);
// A text without the <title> that says in full what was cut short.
const said = (text) => [...text.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data).join("");

// A ladder: its lane is drawn wide enough for the longest label, its margins for what stands in them.
function enlargeLadder(svg) {
  const { width, height } = svg.viewBox.baseVal;
  const labels = [...svg.querySelectorAll(".seg text")], all = [...svg.querySelectorAll("text")];
  const lives = [...svg.querySelectorAll(".life")].map((life) => +life.getAttribute("d").match(/-?[\d.]+/)[0]);
  if (!lives.length) return null;
  const [left, right] = [Math.min(...lives), Math.max(...lives)];
  const lane = Math.max(0, ...labels.map((label) => inked(said(label)))) + 30;
  const scale = Math.max(1.3, lane / Math.max(1, right - left));
  const size = LEAST / scale;
  let from = left - 40, to = right + 40;
  for (const text of all) {
    const bold = text.classList.contains("b") || text.classList.contains("h");
    const long = inked(said(text), bold ? 700 : 400) / scale, x = number(text, "x");
    text.style.fontSize = size + "px";
    if (text.classList.contains("b") && text.previousElementSibling) grow(text, long, left);
    // The time stands close above the first line of what happens then.
    if (text.classList.contains("m") && /^[\d.]+ s$/.test(said(text))) text.setAttribute("y", number(text, "y") - 2.5);
    const anchor = text.getAttribute("text-anchor");
    const at = number(text, "x");
    const start = anchor === "end" ? at - long : anchor === "middle" ? at - long / 2 : at;
    from = Math.min(from, start - 2);
    to = Math.max(to, start + long + 2);
    if (x !== at) text.setAttribute("x", at);
  }
  for (const box of svg.querySelectorAll("rect.p")) {
    from = Math.min(from, number(box, "x") - 2);
    to = Math.max(to, number(box, "x") + number(box, "width") + 2);
  }
  svg.setAttribute("viewBox", [from, 0, to - from, height].join(" "));
  svg.dataset.scale = scale;
  svg.style.width = Math.ceil((to - from) * scale) + "px";
  svg.style.maxWidth = "none";
  return { width: (to - from) * scale, height: height * scale, scale, ladder: true };
}
// The box around the name of a state keeps its place beside its line of life.
function grow(text, long, left) {
  const box = text.parentNode.querySelector("rect.p"), lid = text.parentNode.querySelector("path.p");
  if (!box) return;
  const x = number(box, "x"), before = number(box, "width"), wide = Math.max(before, long + 10);
  const start = x < left ? x + before - wide : x;
  box.setAttribute("x", start);
  box.setAttribute("width", wide);
  box.setAttribute("y", number(box, "y") - 1.5);
  box.setAttribute("height", number(box, "height") + 2);
  text.setAttribute("x", start + wide / 2);
  if (lid) {
    const y = lid.getAttribute("d").match(/^M\S+ (\S+)q/);
    if (y) lid.setAttribute("d", "M" + start + " " + (+y[1] - 1.5) + "q" + wide / 2 + " -8 " + wide + " 0z");
  }
}
// A state diagram shows what the run comes by; the way to ESTABLISHED only where it is told.
function cropDiagram(svg, names) {
  const { width, height } = svg.viewBox.baseVal;
  const at = (name) => {
    const text = [...svg.querySelectorAll(".node")].find((n) => n.id.endsWith("n-" + name))?.querySelector("text");
    return text ? number(text, "y") : height;
  };
  const all = [...svg.querySelectorAll(".node text")].map((text) => number(text, "y"));
  const top = Math.max(0, Math.min(...["ESTABLISHED", ...names].map(at)) - 15), end = Math.min(height, Math.max(...all) + 11);
  svg.setAttribute("viewBox", [0, top, width, end - top].join(" "));
  svg.parentElement.style.aspectRatio = width + "/" + (end - top);
}
// Cut a tall ladder into pieces no higher than `most` px, between two events; each has the hosts' names above it.
function cutLadder(svg, most) {
  const scale = +svg.dataset.scale, [x, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  const head = 34, whole = most / scale, count = Math.ceil(height / (whole - head));
  const room = Math.min(whole, height / count + 60);  // pieces of about one height
  const tops = [...svg.querySelectorAll("text.m[data-s]")].map((text) => number(text, "y") - 14).sort((a, b) => a - b);
  const pieces = [];
  let from = 0;
  while (height - from > (from ? room - head : room)) {
    const limit = from + (from ? room - head : room);
    const cut = Math.max(...tops.filter((y) => y > from + 40 && y <= limit), 0) || limit;
    pieces.push([from, cut]);
    from = cut;
  }
  pieces.push([from, height]);
  return pieces.map(([top, end], i) => {
    const piece = document.createElement("div");
    piece.className = "deck-piece";
    if (i) piece.append(part(svg, [x, 0, width, head], scale, ""));
    piece.append(part(svg, [x, top, width, end - top], scale, named(svg, i, pieces.length)));
    return piece;
  });
}
// Cut any other picture into bands that overlap a little.
function cutPicture(svg, { scale }, most) {
  const [x, y, width, height] = svg.getAttribute("viewBox").split(" ").map(Number), room = most / scale;
  const count = Math.ceil((height - room) / (room * 0.85)) + 1, step = (height - room) / (count - 1);
  return Array.from({ length: count }, (_, i) => {
    const piece = document.createElement("div");
    piece.className = "deck-piece";
    piece.append(part(svg, [x, y + i * step, width, room], scale, named(svg, i, count)));
    return piece;
  });
}
const named = (svg, i, count) => (svg.querySelector("title")?.textContent || "Picture") + ", part " + (i + 1) + " of " + count;
// A copy of a drawing that shows a part of it; without a name it is there for the eye only.
function part(svg, box, scale, name) {
  const made = svg.cloneNode(true);
  for (const node of [made, ...made.querySelectorAll("[id]")]) node.removeAttribute("id");
  made.removeAttribute("aria-labelledby");
  if (name) made.setAttribute("aria-label", name);
  else made.setAttribute("aria-hidden", "true");
  made.setAttribute("viewBox", box.join(" "));
  made.style.height = box[3] * scale + "px";
  made.style.overflow = "hidden";
  return made;
}
