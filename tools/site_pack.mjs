// One style sheet and one script for the site in the place of ten and eight: they hold up the first paint. Of the style
// sheets (550 KB, of which a page uses a tenth) only rules stay that something in the site can need.
//
//   node site_pack.mjs HTML ROOT     writes HTML/_static/book.css and book.js, prints their sizes
//
// PurgeCSS keeps a rule when the words of its selector occur in a page, in a script, or in what makes outputs later.
import { createRequire } from "node:module";
import fs from "node:fs/promises";
import path from "node:path";

const [html, root] = process.argv.slice(2);
const load = createRequire(path.join(root, "package.json"));
const { PurgeCSS } = load("purgecss");
const esbuild = load("esbuild");

// In the order of the pages. Ours stay whole: what a running cell draws is in no page yet.
const THEME = [
  "basic.css", "styles/theme.css", "styles/pydata-sphinx-theme.css", "pygments.css", "styles/sphinx-book-theme.css",
  "copybutton.css", "mystnb.*.css", "sphinx-design.min.css",
];
const OURS = ["live/live.css", "site.css"];
const SCRIPTS = [
  "tabstops.js", "documentation_options.js", "clipboard.min.js", "copybutton.js", "scripts/bootstrap.js",
  "scripts/pydata-sphinx-theme.js", "scripts/sphinx-book-theme.js", "site.js",
];

async function read(pattern) {
  const folder = path.join(html, "_static", path.dirname(pattern));
  const [start, end] = path.basename(pattern).split("*");
  const fits = (file) => (end === undefined ? file === start : file.startsWith(start) && file.endsWith(end));
  const found = (await fs.readdir(folder)).filter(fits);
  if (found.length !== 1) throw new Error(`${pattern}: ${found.length} files in ${folder}`);
  return fs.readFile(path.join(folder, found[0]), "utf8");
}

async function sheet(pattern) {
  const text = (await read(pattern)).replace(/@import [^;]*basic\.css[^;]*;/, "");
  // Fonts of the theme are not there at all; other addresses are relative to the sheet's own place.
  return text
    .replace(/@font-face\s*{[^}]*vendor[^}]*}/g, "")
    .replaceAll(/url\((["']?)(?!data:|#)([^)"']+)\1\)/g, (_, quote, place) => `url(${path.posix.join(path.dirname(pattern), place)})`);
}

async function styles() {
  const [raw, ours] = await Promise.all([THEME, OURS].map(async (names) => (await Promise.all(names.map(sheet))).join("\n")));
  const content = [`${html}/**/*.html`, `${html}/_static/**/*.js`, `${root}/labs/minik8s/lab/**/*.py`, `${root}/book/_ext/live/*`];
  const [kept] = await new PurgeCSS().purge({
    content: content.map((glob) => glob.replaceAll("\\", "/")),
    css: [{ raw }],
    defaultExtractor: (text) => text.match(/[A-Za-z0-9_-]+/g) ?? [],
    safelist: { standard: [/^:/] },
    keyframes: true,
  });
  return [raw + ours, `${kept.css}\n${ours}`, "css"];
}

const TAB_STOP = /(\w+)\.tabIndex=\1\.scrollWidth>\1\.clientWidth\|\|\1\.scrollHeight>\1\.clientHeight\?0:-1/;

async function scripts() {
  const raw = (await Promise.all(SCRIPTS.map(read))).join("\n;\n");
  if (!TAB_STOP.test(raw)) throw new Error("tabstops.js: the theme's script no longer says what is replaced here");
  return [raw, raw.replace(TAB_STOP, "window.tabStop($1)"), "js"];
}

for (const make of [styles, scripts]) {
  const [raw, kept, loader] = await make();
  const { code } = await esbuild.transform(kept, { loader, minify: true, legalComments: "none", charset: "utf8" });
  await fs.writeFile(path.join(html, "_static", `book.${loader}`), code);
  console.log(`book.${loader}`, raw.length, "->", code.length);
}
