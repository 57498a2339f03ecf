// Predictions and quizzes: the form stands in the page already, this makes it answer.
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
class Card extends HTMLElement {
  connectedCallback() {
    // The parser may connect the element before its children exist; a notebook may connect it more than once.
    const start = () => {
      const script = this.querySelector("script.tn-data");
      if (this.started || !script) return;
      this.started = true;
      // JupyterLab: keys pressed in here are ours, not the notebook's.
      this.setAttribute("data-lm-suppress-shortcuts", "true");
      this.addEventListener("keydown", (event) => event.stopPropagation());
      this.classList.add("tn-on");
      this.begin(JSON.parse(script.textContent), this.querySelector(".tn-said"));
    };
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
    else setTimeout(start, 0);
  }
}
customElements.define("tcpnotes-quiz", class extends Card {
  begin(data, said) {
    const form = this.querySelector("form"), inputs = [...form.querySelectorAll("input")];
    // Two quizzes on one page must not share their buttons.
    window.tcpnotesCount = (window.tcpnotesCount || 0) + 1;
    for (const input of inputs) input.name = "tn-choice-" + window.tcpnotesCount;
    const clear = () => {
      said.textContent = "";
      for (const why of form.querySelectorAll(".tn-why")) why.hidden = true;
    };
    form.addEventListener("change", clear);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      clear();
      const picked = inputs.filter((input) => input.checked).map((input) => +input.value);
      const wrong = picked.some((i) => !data.right[i]);
      const all = data.right.every((right, i) => !right || picked.includes(i));
      for (const i of picked) {
        const why = inputs[i].closest("li").querySelector(".tn-why"), mark = document.createElement("b");
        mark.textContent = data.right[i] ? "✓ " : "✕ ";
        why.replaceChildren(mark, data.why[i]);
        why.className = "tn-why " + (data.right[i] ? "right" : "wrong");
        why.hidden = false;
      }
      const words = data.words;
      const line = !picked.length ? words.empty : wrong ? words.mistaken : all ? words.all_right : words.not_all;
      // Those who listen hear the reasons too.
      said.className = "tn-said " + (picked.length && !wrong && all ? "tn-ok" : "tn-no");
      said.textContent = (picked.length ? (wrong || !all ? "✕ " : "✓ ") : "") + line;
    });
  }
});
customElements.define("tcpnotes-predict", class extends Card {
  begin(data, said) {
    const fields = [...this.querySelectorAll("select")], words = data.words;
    let kept = null;
    const mark = (field, css) => {
      field.className = css;
      field.nextElementSibling.textContent = css === "right" ? "✓" : css === "wrong" ? "✕" : "";
      if (css) field.setAttribute("aria-invalid", css === "wrong");
      else field.removeAttribute("aria-invalid");
    };
    this.addEventListener("change", (event) => { if (event.target.matches("select")) mark(event.target, ""); });
    const act = {
      check: () => {
        let right = 0, open = 0;
        fields.forEach((field, i) => {
          const good = field.value !== "" && +field.value === data.answers[i];
          right += good;
          open += field.value === "";
          mark(field, field.value === "" ? "" : good ? "right" : "wrong");
        });
        said.textContent = fill(words.score, { right, total: fields.length })
          + (open ? " · " + fill(words.open, { count: open }) : "");
      },
      reveal: (button) => {
        const show = kept === null;
        if (show) kept = fields.map((field) => field.value);
        fields.forEach((field, i) => {
          field.value = show ? data.answers[i] : kept[i];
          field.disabled = show;
          mark(field, show ? "right" : "");
        });
        if (!show) kept = null;
        said.textContent = "";
        button.textContent = show ? words.hide : words.reveal;
        button.setAttribute("aria-pressed", show);
        this.querySelector("[data-do=check]").disabled = show;
      },
    };
    this.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (button) act[button.dataset.do](button);
    });
  }
});
