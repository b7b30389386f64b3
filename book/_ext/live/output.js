// Output of a cell, in the same elements and classes as the built page.
const WIDGET = "application/vnd.jupyter.widget-view+json";
const ORDER = [WIDGET, "text/html", "image/svg+xml", "image/png", "text/markdown", "text/plain"];
let purify = null;

// A link may carry a file to keep (an assignment's submission), never a page to go to.
function onlyFilesAsData(element) {
  const href = element.tagName === "A" ? element.getAttribute("href") ?? "" : "";
  if (/^\s*data:/i.test(href) && !(element.hasAttribute("download") && href.startsWith("data:application/json;"))) element.removeAttribute("href");
}

export async function sanitise(html) {
  if (!purify) {
    purify = (await import("dompurify")).default;
    purify.addHook("afterSanitizeAttributes", onlyFilesAsData);
  }
  return purify.sanitize(html, {
    USE_PROFILES: { html: true, svg: true, svgFilters: true },
    ADD_DATA_URI_TAGS: ["a"],
    ADD_ATTR: ["target", "tabindex", "role", "open", "for"],
    FORBID_TAGS: ["form", "iframe", "object", "embed", "base", "link", "meta"],
  });
}

function block(kind, text) {
  const outer = document.createElement("div");
  outer.className = `output ${kind} highlight-none notranslate`;
  const inner = outer.appendChild(document.createElement("div"));
  inner.className = "highlight";
  const pre = inner.appendChild(document.createElement("pre"));
  pre.tabIndex = 0;
  pre.textContent = text;
  return outer;
}

export class Output {
  constructor(box) {
    this.box = box;
    this.fresh = true; // what the last run showed stays until the first new output
    this.chain = Promise.resolve();
    this.shown = new Map();
  }

  // Outputs arrive faster than the sanitiser loads: keep their order.
  add(kind, values) { this.chain = this.chain.then(() => this.put(kind, values)); }

  async end() {
    await this.chain;
    this.clear();
  }

  clear() {
    if (this.fresh) this.box.replaceChildren();
    this.fresh = false;
  }

  async put(kind, values) {
    if (kind === "clear") { this.fresh = true; if (!values[0]) this.clear(); return; }
    if (kind === "stream") return this.stream(values[0], values[1]);
    if (kind === "error") { this.clear(); this.box.append(block("traceback", values[0])); return; }
    const element = await this.rich(values[0]);
    const id = values[1];
    if (kind === "update") { for (const old of this.shown.get(id) ?? []) old.replaceWith(element); this.shown.set(id, [element]); return; }
    this.clear();
    if (id) this.shown.set(id, [...(this.shown.get(id) ?? []), element]);
    this.box.append(element);
    element.dispatchEvent(new CustomEvent("minik8s:output", { bubbles: true }));
  }

  stream(name, text) {
    this.clear();
    const kind = name === "stdout" ? "stream" : "stderr";
    const last = this.box.lastElementChild;
    if (last?.classList.contains("output") && last.classList.contains(kind)) last.querySelector("pre").append(text);
    else this.box.append(block(kind, text));
  }

  async rich(data) {
    const mime = ORDER.find((name) => name in data);
    if (mime === WIDGET) return (await import("./widgets.js")).draw(data[mime].model_id);
    if (mime === "text/html" || mime === "image/svg+xml") {
      const element = document.createElement("div");
      element.className = mime === "text/html" ? "output text_html" : "output image_svg";
      element.innerHTML = await sanitise(mime === "text/html" ? data[mime] : data[mime].slice(Math.max(0, data[mime].indexOf("<svg"))));
      for (const pre of element.querySelectorAll("pre")) pre.tabIndex = 0; // what scrolls is reached by the Tab key
      return element;
    }
    if (mime === "image/png") {
      const image = document.createElement("img");
      image.src = `data:image/png;base64,${data[mime]}`;
      image.alt = data["text/plain"] ?? "";
      return image;
    }
    return block("text_plain", data[mime] ?? "");
  }
}
