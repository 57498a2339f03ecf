// The stepper's logic: an index into a list of steps, and a page that shows the step it points at.
// `data` is what payload.py made; `tell` is called with the index whenever it changes.
function mount(root, data, start, tell) {
  const say = data.say;
  let index = -1;
  window.tcpnotesCount = (window.tcpnotesCount || 0) + 1;
  const uid = "tn" + window.tcpnotesCount + "-";
  root.classList.add("tn", "tn-stepper", "tn-live", "tn-whole");
  root.setAttribute("role", "group");
  root.setAttribute("tabindex", "-1");
  // JupyterLab: keys pressed in here are ours, not the notebook's.
  root.setAttribute("data-lm-suppress-shortcuts", "true");

  const app = el("div", "tn-app");
  app.innerHTML =
    '<div class="tn-top"><p class="tn-title"></p><code class="tn-link"></code>' +
    '<button type="button" class="tn-copy" data-action="copy" hidden></button></div>' +
    '<div class="tn-head"><div class="tn-capbox"><div class="tn-caption" aria-live="polite" aria-atomic="true"></div></div>' +
    '<div class="tn-bar"><div class="tn-buttons" role="toolbar">' +
    '<button type="button" data-action="first"><span aria-hidden="true">|◀</span> </button>' +
    '<button type="button" data-action="back"><span aria-hidden="true">◀</span> </button>' +
    '<button type="button" data-action="forward" class="tn-next"> <span aria-hidden="true">▶</span></button>' +
    '<button type="button" data-action="last"> <span aria-hidden="true">▶|</span></button>' +
    '</div><div class="tn-slider"><div class="tn-marks" aria-hidden="true"></div>' +
    '<input type="range" min="1" step="1"></div>' +
    '<span class="tn-count"></span>' +
    '<button type="button" data-action="whole" aria-pressed="true"></button>' +
    '<button type="button" data-action="keys" aria-expanded="false">?</button></div></div>' +
    '<div class="tn-keys" hidden></div><div class="tn-stage"></div><p class="tn-legend"></p>';
  root.insertBefore(app, root.firstChild);
  const pick = (selector) => app.querySelector(selector), button = (name) => pick("[data-action=" + name + "]");
  const label = (node, text) => node.setAttribute("aria-label", text);
  for (const name of ["first", "back", "forward", "last"]) {
    const one = button(name);
    label(one, say[name + "_step"]);
    if (name === "first" || name === "back") one.append(say[name]);
    else one.prepend(say[name]);
  }
  pick(".tn-link").title = say.this_step;
  button("copy").textContent = say.copy;
  button("whole").textContent = say.hide;
  label(button("keys"), say.keys);
  label(pick(".tn-buttons"), say.steps);
  pick(".tn-keys").append(...say.keys_help.split(/\{([^}]+)\}/).map((text, i) => (i % 2 ? el("kbd", "", text) : text)));
  pick(".tn-legend").textContent = fill(say.legend, { hosts: data.hosts[1]
    ? fill(say.two_hosts, { one: data.hosts[0], other: data.hosts[1] }) : fill(say.one_host, { one: data.hosts[0] }) });
  const slider = pick("input"), marks = pick(".tn-marks"), capbox = pick(".tn-capbox"), caption = pick(".tn-caption");
  const ends = ["first", "back", "forward", "last"].map(button), count = pick(".tn-count"), link = pick(".tn-link");
  label(slider, say.slider);
  const stage = makeStage(pick(".tn-stage"), data, uid);
  const details = root.querySelector("details.tn-steps");
  const listed = details ? [...details.querySelectorAll("li")] : [];
  if (details) details.open = false;

  // What depends on the run as a whole.
  function renew() {
    const steps = data.steps.length;
    label(root, data.title);
    put(pick(".tn-title"), data.title);
    slider.max = steps;
    const painted = JSON.stringify(data.marks) + steps;
    if (marks.painted !== painted) {
      marks.painted = painted;
      marks.replaceChildren(...data.marks.map(([step, column, kind, words]) => {
        const mark = el("i", side(column) + " " + kind, kind === "s" ? "●" : kind === "b" ? "■" : "✕");
        mark.style.left = (steps > 1 ? (100 * step) / (steps - 1) : 0) + "%";
        mark.title = words;
        return mark;
      }));
    }
    stage.renew(data);
  }
  function write(step, into) {
    const css = "tn-caption " + side(step.h);
    if (into.className !== css) into.className = css;
    const ids = step.i || [];
    const parts = [
      ["tn-when", fill(say.at, { time: step.t })], ...ids.map((id) => ["tn-item", id]), ["tn-what", step.c],
      ...ids.filter((id) => data.items[id]).map((id) => ["tn-itemtext", id + ": " + data.items[id]]),
    ];
    const same = into.children.length === parts.length && parts.every(([css], i) => into.children[i].className === css);
    if (same) parts.forEach(([, text], i) => put(into.children[i], text));
    else into.replaceChildren(...parts.map(([css, text]) => el("span", css, text)));
  }
  // Room for the longest caption, so that nothing below it moves from step to step.
  let probes = [], room = 0;
  function ask(steps) {
    const long = (s) => s.c.length + (s.i || []).reduce((n, id) => n + 40 + (data.items[id] || "").length, 0);
    for (const step of [...steps].sort((a, b) => long(b) - long(a)).slice(0, 12)) {
      const probe = el("div");
      write(step, probe);
      probe.style.cssText = "position:absolute;visibility:hidden;left:0;right:0;min-height:0;margin:0";
      probes.push(probe);
    }
    capbox.append(...probes);
  }
  function answer() {
    const most = Math.max(room, ...probes.map((probe) => probe.offsetHeight));
    for (const probe of probes) probe.remove();
    probes = [];
    if (most !== room) capbox.style.cssText = "contain:size layout style;height:" + (room = most) + "px";
  }
  // The observer runs in the same frame, when styles and layout are done: there reading and scrolling cost nothing.
  let width = 0;
  const observer = new ResizeObserver(() => {
    // The width changes also when the stepper comes back from a hidden tab: scroll positions are lost there.
    const changed = root.clientWidth !== width;
    width = root.clientWidth;
    if (!width) return;
    if (changed) {
      room = 0;
      ask(data.steps);
    }
    if (probes.length) answer();
    if (changed) stage.measure();
    stage.follow(data.steps[index]);
  });
  const settle = () => {
    observer.unobserve(root);
    observer.observe(root);
  };
  function go(to, quiet, anew) {
    const steps = data.steps.length;
    to = Math.min(Math.max(Math.round(to) || 0, 0), steps - 1);
    if (to === index && !anew) return;
    const before = index, step = data.steps[(index = to)], values = { step: index + 1, count: steps, caption: step.c };
    write(step, caption);
    stage.at(step, index);
    slider.value = index + 1;
    slider.setAttribute("aria-valuetext", fill(say.value, values));
    put(count, fill(say.count, values));
    put(link, data.scenario + "@" + (index + 1) + (data.rest || ""));
    root.dataset.step = index + 1;
    ends.forEach((one, i) => {
      const useless = index === (i < 2 ? 0 : steps - 1);
      if (one.disabled !== useless) one.disabled = useless;
    });
    if (listed[before]) listed[before].removeAttribute("aria-current");
    if (listed[index]) listed[index].setAttribute("aria-current", "step");
    settle();
    if (!quiet && tell) tell(index);
  }
  // Another run, or the same with another end, in the place of this one; false when it needs another stage.
  function take(fresh, at) {
    const same = (key) => JSON.stringify(fresh[key]) === JSON.stringify(data[key]);
    if (!["hosts", "nodes", "say"].every(same)) return false;
    const known = new Set(data.steps.map((step) => step.c));
    data = fresh;
    renew();
    const others = data.steps.filter((step) => !known.has(step.c));
    if (width && others.length) ask(others);
    go(at, true, true);
    return true;
  }
  const actions = {
    first: () => go(0),
    back: () => go(index - 1),
    forward: () => go(index + 1),
    last: () => go(data.steps.length - 1),
    whole: () => {
      const on = root.classList.toggle("tn-whole");
      button("whole").setAttribute("aria-pressed", on);
      button("whole").textContent = on ? say.hide : say.show;
    },
    copy: () => copyLink(root, link.textContent, button("copy"), say),
    keys: () => {
      const list = pick(".tn-keys");
      list.hidden = !list.hidden;
      button("keys").setAttribute("aria-expanded", !list.hidden);
    },
  };
  // A button that has just become useless loses the focus, at once or when it is drawn; keep it in the stepper.
  const keepFocus = (used) => { if (used.disabled) root.focus({ preventScroll: true }); };
  app.addEventListener("click", (event) => {
    const pressed = event.target.closest("[data-action]");
    if (!pressed) return;
    actions[pressed.dataset.action]();
    keepFocus(pressed);
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
    keepFocus(event.target);
  });
  // Where a kernel is told (tell), the page is a notebook, and an address that names a step leads nowhere.
  button("copy").hidden = !!tell;
  window.addEventListener("beforeprint", () => { if (details) details.open = true; });
  renew();
  go(start, true);
  return { go: (to) => go(to, true), take, stop: () => observer.disconnect() };
}
// The steppers of a page by the names that links use: the second of a scenario is "scenario.2".
function namesake(root) {
  const all = [...document.querySelectorAll("tcpnotes-stepper")].filter((one) => one.dataset.scenario === root.dataset.scenario);
  const at = all.indexOf(root);
  return at > 0 ? "." + (at + 1) : "";
}
function copyLink(root, link, button, words) {
  const address = new URL(location.href), scenario = root.dataset.scenario;
  address.search = "";  // where there is one it says how this reader got in, or carries a token
  address.hash = link.replace(scenario, scenario + namesake(root));
  const say = (text) => {
    button.textContent = text;
    setTimeout(() => { button.textContent = words.copy; }, 2000);
  };
  const byHand = () => {
    const field = document.createElement("textarea");
    field.value = address.href;
    root.append(field);
    field.select();
    say(document.execCommand("copy") ? words.copied : words.not_allowed);
    field.remove();
    button.focus({ preventScroll: true });
  };
  if (navigator.clipboard) navigator.clipboard.writeText(address.href).then(() => say(words.copied), byHand);
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
