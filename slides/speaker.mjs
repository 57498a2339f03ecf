// Prints the script inside the speaker's view, a page that reveal.js's plugin writes: `node speaker.mjs notes.mjs`.
// A page's policy lets a script inside it run only by its hash.
import { writeSync } from "node:fs";
import { pathToFileURL } from "node:url";

const view = {
  document: {
    write(html) {
      writeSync(1, html.match(/<script>([^]*?)<\/script>/)[1]);
      process.exit(0);
    },
  },
};
globalThis.window = { open: () => view, location: { search: "" }, addEventListener() {} };
const { default: notes } = await import(pathToFileURL(process.argv[2]));
const plugin = notes();
plugin.init({ addKeyBinding() {}, on() {} });
plugin.open();
