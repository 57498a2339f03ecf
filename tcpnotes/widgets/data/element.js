class TcpnotesStepper extends HTMLElement {
  connectedCallback() {
    // The parser may connect the element before its children exist; a notebook may connect it more than once.
    const start = () => {
      if (this.mounted) return;
      const script = this.querySelector("script.tn-data");
      if (!script) return;
      this.mounted = mount(this, JSON.parse(script.textContent), +(this.getAttribute("start") || 0), null);
    };
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
    else setTimeout(start, 0);
  }
}
customElements.define("tcpnotes-stepper", TcpnotesStepper);
