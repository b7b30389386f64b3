// The page's side of ipywidgets: models kept in step over comms, drawn with the browser's own controls
// (a reader of screens and a keyboard know them; the official manager would cost 900 KB).
import { Output } from "./output.js";

const models = new Map(); // comm id -> {state, views: Set of update functions}
let send = () => {};

export function connect(sender) { send = sender; }

export function receive(kind, id, data) {
  if (kind === "comm_open") models.set(id, { id, state: data.state ?? {}, views: new Set() });
  else if (kind === "comm_close") models.delete(id);
  else if (kind === "comm_msg" && data.method === "update") {
    const model = models.get(id);
    if (!model) return;
    Object.assign(model.state, data.state);
    for (const view of model.views) view(data.state);
  }
}

function change(model, state) {
  Object.assign(model.state, state);
  for (const view of model.views) view(state);
  send(model.id, { method: "update", state, buffer_paths: [] });
}

const find = (reference) => models.get(String(reference).replace("IPY_MODEL_", ""));
const make = (tag, className, ...children) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
};

let count = 0;

function labelled(model, input, ...more) {
  input.id = `widget-${++count}`;
  input.disabled = Boolean(model.state.disabled);
  const label = make("label", "", model.state.description || "값");
  label.htmlFor = input.id;
  return make("div", "widget-row", label, input, ...more);
}

function show(model, draw) {
  draw();
  model.views.add(draw);
}

function slider(model) {
  const input = make("input");
  const value = make("output", "widget-value");
  input.type = "range";
  const whole = model.state._model_name.startsWith("Int");
  show(model, () => {
    const { min, max, step, value: now } = model.state;
    Object.assign(input, { min, max, step: step ?? 1, value: now });
    value.textContent = whole ? String(now) : String(Number(Number(now).toFixed(4)));
  });
  const live = model.state.continuous_update !== false;
  input.addEventListener(live ? "input" : "change", () => change(model, { value: Number(input.value) }));
  return labelled(model, input, value);
}

function dropdown(model) {
  const input = make("select");
  show(model, () => {
    input.replaceChildren(...(model.state._options_labels ?? []).map((label) => new Option(label, label)));
    input.selectedIndex = model.state.index ?? -1;
  });
  input.addEventListener("change", () => change(model, { index: input.selectedIndex }));
  return labelled(model, input);
}

function checkbox(model) {
  const input = make("input");
  input.type = "checkbox";
  show(model, () => { input.checked = model.state.value; });
  input.addEventListener("change", () => change(model, { value: input.checked }));
  return labelled(model, input);
}

function textbox(model) {
  const input = make("input");
  const number = /^(Bounded)?(Int|Float)Text/.test(model.state._model_name);
  input.type = number ? "number" : "text";
  show(model, () => { input.value = model.state.value; });
  input.addEventListener("change", () => change(model, { value: number ? Number(input.value) : input.value }));
  return labelled(model, input);
}

function button(model) {
  const element = make("button");
  element.type = "button";
  show(model, () => { element.textContent = model.state.description; element.title = model.state.tooltip ?? ""; element.disabled = Boolean(model.state.disabled); });
  element.addEventListener("click", () => send(model.id, { method: "custom", content: { event: "click" } }));
  return element;
}

function output(model) {
  const box = make("div", "widget-output");
  const quiet = (model.state._dom_classes ?? []).includes("m8-quiet"); // redrawn while time flows: not read out
  box.setAttribute("aria-live", quiet ? "off" : "polite");
  show(model, () => {
    const shown = new Output(box);
    for (const item of model.state.outputs ?? []) {
      if (item.output_type === "stream") shown.add("stream", [item.name, item.text]);
      else if (item.output_type === "error") shown.add("error", [item.traceback.join("\n")]);
      else shown.add("display", [item.data, ""]);
    }
    shown.end();
  });
  return box;
}

function box(model) {
  const [, kind] = /^(HBox|GridBox)/.exec(model.state._model_name) ?? [];
  const element = make("div", { HBox: "widget-hbox", GridBox: "widget-grid" }[kind] ?? "widget-box");
  show(model, () => element.replaceChildren(...(model.state.children ?? []).map(find).filter(Boolean).map(view)));
  return element;
}

function words(model) {
  const element = make("p");
  show(model, () => { element.textContent = new DOMParser().parseFromString(model.state.value ?? "", "text/html").body.textContent; });
  return element;
}

const VIEWS = [
  [/Slider|Progress/, slider], [/^(Dropdown|Select|ToggleButtons|RadioButtons)Model/, dropdown], [/^(Checkbox|ToggleButton)Model/, checkbox],
  [/Text(area)?Model$/, textbox], [/^ButtonModel/, button], [/^OutputModel/, output], [/^(VBox|HBox|Box|GridBox)Model/, box],
  [/^(HTML|Label|HTMLMath)Model/, words],
];

export function view(model) {
  const found = VIEWS.find(([name]) => name.test(model?.state?._model_name ?? ""));
  return found ? found[1](model) : make("p", "", `이 위젯(${model?.state?._model_name ?? "?"})은 Jupyter에서 볼 수 있다.`);
}

export function draw(id) {
  const element = make("div", "output widget");
  element.append(view(models.get(id)));
  return element;
}
