// On paper a stepper is a film strip: one frame a step, with both hosts, what is on the wire, and the sentence.
// The frames are made from what the stepper's element carries; without scripts its list of steps is printed.
(() => {
  const el = (tag, css, ...inside) => {
    const made = document.createElement(tag);
    if (css) made.className = css;
    made.append(...inside);
    return made;
  };
  const side = (column) => (column === 0 ? "A" : "B");
  // The segments of a ladder: who sent it, the records at which it left and ended, what it says.
  function segments(arrows) {
    const ladder = new DOMParser().parseFromString("<svg>" + arrows.join("") + "</svg>", "text/html");
    return [...ladder.querySelectorAll(".seg")].map((seg) => ({
      host: seg.classList.contains("A") ? "A" : "B", lost: seg.classList.contains("lost"),
      answer: seg.classList.contains("ans"), from: +seg.dataset.s,
      to: seg.dataset.e === undefined ? Infinity : +seg.dataset.e,
      label: seg.querySelector("text")?.textContent || "",
    }));
  }
  function wire(flights, before, now) {
    const shown = flights.filter((f) => f.from <= now && f.to > before);
    return shown.slice(-2).map((f) => {
      const fate = f.to > now ? "air" : f.lost ? "gone" : "there";
      const mark = fate === "gone" ? "✕" : f.host === "A" ? (f.answer ? "▷" : "▶") : f.answer ? "◁" : "◀";
      return el("div", "tn-frame-wire " + f.host + " " + fate, el("span", "", f.label), el("i", "", fate === "air" ? "" : mark));
    });
  }
  function strip(data) {
    const flights = segments(data.ladder.arrows), made = el("div", "tn-strip");
    made.setAttribute("role", "list");
    let before = -1;
    data.steps.forEach((step, i) => {
      const head = el("p", "tn-frame-head", el("b", "", String(i + 1)), " at " + step.t + " s ");
      for (const id of step.i || []) head.append(el("span", "tn-frame-item", id));
      const hosts = data.hosts.map((name, column) => el(
        "p", "tn-frame-host " + side(column) + (step.p[column][7] ? " moved" : ""), el("b", "", name + " "),
        data.words[step.p[column][5]],
      ));
      const scene = el("div", "tn-frame-scene", hosts[0], el("div", "tn-frame-wires", ...wire(flights, before, step.f)), ...hosts.slice(1));
      const frame = el("div", "tn-frame " + side(step.h), head, scene, el("p", "tn-frame-said", step.c));
      frame.setAttribute("role", "listitem");
      made.append(frame);
      before = step.f;
    });
    return made;
  }
  const carried = (stepper) => JSON.parse(stepper.querySelector("script.tn-data").textContent);
  // For who lays out pages himself (slides): a stepper's title and its frames.
  window.tcpnotesStrip = (stepper) => {
    const data = carried(stepper);
    return { title: data.title, strip: strip(data) };
  };
  function unroll() {
    for (const stepper of document.querySelectorAll("tcpnotes-stepper")) {
      if (stepper.querySelector(".tn-strip") || !stepper.querySelector("script.tn-data")) continue;
      const made = strip(carried(stepper));
      made.setAttribute("aria-hidden", "true");  // on the screen it is not there
      stepper.append(made);
      stepper.classList.add("tn-unrolled");
    }
  }
  window.addEventListener("beforeprint", unroll);
})();
