// Take out of the theme's style sheets what no page of the site uses: node tools/trim_css.mjs SITE
//
// PurgeCSS reads the pages and the scripts for every word that could be a class; rules for other classes go.  The theme
// copies whole style sheets at each build, so nothing is ever missing that a new page needs.
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PurgeCSS } from "purgecss";

const site = process.argv[2];
if (!site) {
  console.error("trim_css.mjs: name the folder of the site.");
  process.exit(2);
}
const files = readdirSync(site, { recursive: true }).map((name) => join(site, name)).filter((name) => statSync(name).isFile());
const styles = files.filter((name) => name.endsWith(".css") && statSync(name).size > 8192 && !name.endsWith("tcpnotes.css"));
// Single functions, items, scenarios and modules are alike: the first twenty of a folder speak for the rest.
const folders = new Map();
const content = files.filter((name) => {
  if (name.endsWith(".js")) return !/searchindex|mathjax|language_data/.test(name);
  if (!name.endsWith(".html")) return false;
  const folder = name.slice(site.length).split(/[\\/]/).slice(0, -1).join("/");
  const seen = (folders.get(folder) || 0) + 1;
  folders.set(folder, seen);
  return seen <= 20 || /notebooks/.test(folder);
});
const made = await new PurgeCSS().purge({ content, css: styles, safelist: { greedy: [/data-theme/, /^mjx/, /^tn-/] } });
for (const { file, css } of made) {
  const before = readFileSync(file, "utf8").length;
  writeFileSync(file, css);
  if (before > css.length) console.log(`${file.slice(site.length + 1)}: ${before} -> ${css.length} bytes`);
}
