// The web worker in which a page's cells run: CPython (Pyodide), started on the first click.
const here = new URL(".", import.meta.url);
let pyodide = null;
let runtime = null;
let widgets = false; // ipywidgets is there
let toJs = null;

const UNPACK = `
import importlib, os, tarfile
with tarfile.open("/packed") as archive:
    archive.extractall("/", filter="data")
os.unlink("/packed")
importlib.invalidate_caches()
`;

async function download(name, track) {
  const answer = await fetch(new URL(name, here));
  if (!answer.ok) throw new Error(`${name}: HTTP ${answer.status}`);
  track?.(name);
  return answer.arrayBuffer();
}

function unpack(file) {
  pyodide.FS.writeFile("/packed", new Uint8Array(file));
  pyodide.runPython(UNPACK);
}

async function useWidgets() {
  widgets = true;
  unpack(await download("widgets.tar.xz"));
  runtime.use_widgets();
}

async function start({ interrupt }) {
  const note = (text) => postMessage({ type: "progress", text });
  note("파이썬을 내려받는 중");
  const files = download("python.tar.xz");
  const { loadPyodide } = await import(new URL("pyodide/pyodide.mjs", here).href);
  pyodide = await loadPyodide({
    indexURL: new URL("pyodide/", here).href,
    env: { PYTHONHASHSEED: "0", HOME: "/home/pyodide", TZ: "UTC" },
  });
  note("클러스터를 준비하는 중");
  unpack(await files);
  pyodide.FS.mkdirTree("/home/pyodide/book");
  pyodide.FS.chdir("/home/pyodide/book");
  toJs = (value) => value?.toJs ? value.toJs({ dict_converter: Object.fromEntries }) : value;
  const emit = (kind, content) => {
    const values = toJs(content);
    content.destroy?.();
    postMessage({ type: "output", kind, values });
  };
  runtime = pyodide.pyimport("book_runtime").Runtime(emit);
  if (interrupt) pyodide.setInterruptBuffer(new Uint8Array(interrupt));
}

const actions = {
  async start(message) {
    await start(message);
    postMessage({ type: "ready" });
  },
  async run({ cell, source }) {
    if (!widgets && /\bipywidgets\b|\.(scrub|dashboard)\(/.test(source)) await useWidgets();
    const ok = await runtime.run(String(cell), source);
    postMessage({ type: "done", cell, ok });
  },
  async file({ name, text }) {
    pyodide.FS.writeFile(name, text);
  },
  async comm({ id, data }) {
    runtime.comm(id, data);
  },
  async complete({ id, text }) {
    const found = runtime.complete(text);
    postMessage({ type: "names", id, names: found.toJs() });
    found.destroy();
  },
};

let queue = Promise.resolve();
onmessage = ({ data }) => {
  queue = queue.then(() => actions[data.type](data)).catch((error) => {
    postMessage({ type: "broken", text: String(error?.message ?? error) });
  });
};
