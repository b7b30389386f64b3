// Makes the code cells of a page run in that page. Everything heavy (Python, editor, sanitiser) loads on first use.
import { Session } from "./session.js";
import { Output, sanitise } from "./output.js";

const page = JSON.parse(document.getElementById("live-page").textContent);
const session = new Session((text) => tell(busy, text));
let busy = null; // the cell being run
let wanted = 0; // grows with every stop, so that a queue of cells knows it was cancelled

function hash(text) {
  let value = 5381;
  for (let index = 0; index < text.length; index++) value = ((value * 33) ^ text.charCodeAt(index)) >>> 0;
  return value.toString(36);
}

class Cell {
  constructor(data) {
    Object.assign(this, data);
    this.original = data.source;
    this.box = document.querySelector(`.cell.nb-cell-${data.index}`);
    this.live = !data.tags.includes("no-live");
    this.hidden = !this.box;
    this.ran = false;
    if (!this.hidden && this.live) this.wire();
  }

  wire() {
    this.bar = this.box.querySelector(".live-bar");
    this.input = this.box.querySelector(".cell_input");
    this.code = this.input?.querySelector(".highlight");
    this.output = this.box.querySelector(":scope > .cell_output, :scope > details > .cell_output");
    if (!this.output) {
      this.output = document.createElement("div");
      this.output.className = "cell_output docutils container";
      this.box.append(this.output);
    }
    this.output.setAttribute("aria-live", "polite");
    this.builtOutput = this.output.innerHTML;
    const on = (name, action) => this.bar?.querySelector(`.live-${name}`)?.addEventListener("click", action);
    on("run", () => (busy === this ? stop() : runTo(this)));
    on("again", () => { restart(); runTo(this); });
    on("edit", () => this.edit(true));
    on("undo", () => this.undo());
    this.code?.addEventListener("dblclick", () => this.edit(true));
    if (this.saved() !== null) this.edit(false);
  }

  get key() { return `minik8s.edit:${page.page}:${this.index}:${hash(this.original)}`; }

  // Another code to start from: what the reader made of it before comes back.
  async become(source) {
    if (source === this.original) return;
    this.original = source;
    await this.edit(false);
    this.editor?.set(this.saved() ?? source);
    this.changed();
  }

  get text() { return this.editor ? this.editor.text() : this.original; }
  get edited() { return this.text !== this.original; }
  saved() { try { return localStorage.getItem(this.key); } catch { return null; } }

  async edit(focus) {
    if (!this.code) return;
    if (!this.editor && !this.opening) {
      this.opening = import("./editor.js").then(({ openEditor }) => {
        this.editor = openEditor({
          parent: this.code,
          text: this.saved() ?? this.original,
          label: `셀 ${this.number} 코드`,
          changed: () => this.changed(),
          run: () => runTo(this),
          names: (text) => completions(text),
        });
        this.changed();
      });
    }
    await this.opening;
    if (focus) this.editor.focus();
  }

  changed() {
    this.box.classList.toggle("live-edited", this.edited);
    try { this.edited ? localStorage.setItem(this.key, this.text) : localStorage.removeItem(this.key); } catch { /* private mode */ }
    const undo = this.bar?.querySelector(".live-undo");
    if (undo) undo.hidden = !(this.edited || this.ran);
  }

  undo() {
    this.editor?.set(this.original);
    this.output.innerHTML = this.builtOutput;
    this.box.classList.remove("live-ran", "live-failed");
    this.changed();
    tell(this, "");
  }

  async run() {
    busy = this;
    this.mark(true);
    tell(this, session.started ? "실행 중" : "파이썬을 켜는 중");
    const output = this.hidden ? null : new Output(this.output);
    let failed = null;
    try {
      const ok = await session.run(this.index, this.text, (kind, values) => {
        if (kind === "error") failed = values[0];
        if (this.bar && session.current) tell(this, "실행 중");
        comms.then(() => output?.add(kind, values));
      });
      await comms;
      await output?.end();
      this.ran = true;
      this.box?.classList.add("live-ran");
      this.box?.classList.toggle("live-failed", !ok);
      tell(this, ok ? "실행했다" : "오류가 났다");
      return ok || this.tags.includes("raises-exception");
    } catch (error) {
      tell(this, `실행하지 못했다: ${error.message}`);
      session.stop();
      return false;
    } finally {
      busy = null;
      this.mark(false);
      if (!this.hidden) this.changed();
    }
  }

  mark(on) {
    const button = this.bar?.querySelector(".live-run");
    this.box?.classList.toggle("live-busy", on);
    if (button) {
      button.querySelector(".live-label").textContent = on ? "중단" : "실행";
      button.setAttribute("aria-label", `셀 ${this.number} ${on ? "중단" : "실행"}`);
    }
  }
}

function tell(cell, text) {
  const state = cell?.bar?.querySelector(".live-state");
  if (state && state.textContent !== text) state.textContent = text;
}

// Widget messages come before the output that shows the widget: keep their order while the program loads.
let comms = Promise.resolve();
session.onComm = (kind, id, data) => {
  comms = comms.then(async () => {
    const { connect, receive } = await import("./widgets.js");
    connect((...message) => session.comm(...message));
    receive(kind, id, JSON.parse(data));
  });
};

let number = 0;
const cells = page.cells.map((data) => {
  const cell = new Cell(data);
  if (!cell.hidden) cell.number = ++number;
  return cell;
});

// A cell needs what the cells before it made: those that have not run go first. A solution runs only when the reader
// asks for it or for everything: what its check looks at is the reader's own work.
async function runTo(target, solve = false) {
  if (busy) return;
  const mine = ++wanted;
  const before = cells.slice(0, cells.indexOf(target)).filter(
    (cell) => cell.live && !cell.ran && (solve || !cell.tags.includes("solution")));
  for (const cell of before) {
    tell(target, `앞의 셀부터 실행한다 (${before.indexOf(cell) + 1}/${before.length})`);
    const ok = await cell.run();
    if (mine !== wanted) return;
    if (!ok) { tell(target, "앞의 셀에서 멈췄다"); return; }
  }
  tell(target, "");
  await target.run();
}

async function runAll() {
  const last = cells.filter((cell) => cell.live && !cell.hidden).at(-1);
  if (!last || busy) return;
  restart();
  await runTo(last, true);
}

function stop() {
  wanted++;
  if (!session.interrupt()) forget();
}

function restart() {
  wanted++;
  session.stop();
  busy = null;
  forget();
}

function forget() { for (const cell of cells) cell.ran = false; }

function resetAll() {
  restart();
  for (const cell of cells) if (!cell.hidden && cell.live) cell.undo();
}

const WORDS = new Set(page.cells.flatMap((cell) => cell.source.match(/[A-Za-z_]\w+/g) ?? []));

async function completions(text) {
  const live = await session.complete(text);
  if (live.length || text.includes(".") || text.startsWith("%")) return live;
  return [...WORDS].filter((word) => word.startsWith(text));
}

function save(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

const base = page.page.split("/").at(-1);

function exportPython() {
  const parts = cells.filter((cell) => cell.live).map((cell) => `# %%\n${cell.text}\n`);
  save(`${base}.py`, "text/x-python", parts.join("\n"));
}

async function exportNotebook() {
  const url = new URL(`../notebooks/${page.page}.ipynb`, import.meta.url);
  const notebook = await (await fetch(url)).json();
  for (const cell of cells) notebook.cells[cell.index].source = cell.text;
  save(`${base}.ipynb`, "application/x-ipynb+json", JSON.stringify(notebook, null, 1));
}

const actions = { all: runAll, reset: resetAll, python: exportPython, notebook: exportNotebook };
for (const button of document.querySelectorAll("[data-live]")) {
  button.addEventListener("click", () => actions[button.dataset.live]());
}
const kit = document.querySelector(".assignment-kit");
if (kit) import("./assignment.js").then(({ wireKit }) => wireKit(kit, { cells, session, restart }));
document.documentElement.classList.add("live-ready");
globalThis.minik8sLive = { cells, session, runTo, runAll, resetAll, sanitise }; // for tests and the console
