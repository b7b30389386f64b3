// One Python in one worker: start, run cells in turn, interrupt, restart.
export class Session {
  constructor(onProgress) {
    this.onProgress = onProgress;
    this.worker = null;
    this.waiting = new Map();
    this.names = 0;
    this.files = new Map(); // files beside the page's Python, by name; every new worker gets them
  }

  get started() { return this.worker !== null; }

  start() {
    if (this.ready) return this.ready;
    this.worker = new Worker(new URL("worker.js", import.meta.url), { type: "module", name: "minik8s" });
    this.interruptBuffer = globalThis.crossOriginIsolated ? new SharedArrayBuffer(1) : null;
    this.ready = new Promise((resolve, reject) => { this.onReady = resolve; this.onBroken = reject; });
    this.worker.onmessage = ({ data }) => this.receive(data);
    this.worker.onerror = (event) => this.receive({ type: "broken", text: event.message || "일꾼 스크립트를 읽지 못했다" });
    this.worker.postMessage({ type: "start", interrupt: this.interruptBuffer });
    for (const [name, text] of this.files) this.worker.postMessage({ type: "file", name, text });
    return this.ready;
  }

  receive(data) {
    if (data.type === "progress") this.onProgress(data.text);
    else if (data.type === "ready") this.onReady();
    else if (data.type === "output" && data.kind === "comm") this.onComm?.(...data.values);
    else if (data.type === "output" && this.current) this.current.output(data.kind, data.values);
    else if (data.type === "output") console.warn("셀 밖의 출력", data.kind, data.values); // a widget's callback, outside its Output
    else if (data.type === "done") this.finish(data.ok);
    else if (data.type === "names") { this.waiting.get(data.id)?.(data.names); this.waiting.delete(data.id); }
    else if (data.type === "broken") { const error = new Error(data.text); this.onBroken(error); this.finish(false, error); }
  }

  finish(ok, error) {
    const current = this.current;
    this.current = null;
    if (current) error ? current.reject(error) : current.resolve(ok);
  }

  async run(cell, source, output) {
    await this.start();
    if (this.interruptBuffer) new Uint8Array(this.interruptBuffer)[0] = 0;
    return new Promise((resolve, reject) => {
      this.current = { output, resolve, reject };
      this.worker.postMessage({ type: "run", cell, source });
    });
  }

  comm(id, data) { this.worker?.postMessage({ type: "comm", id, data: JSON.stringify(data) }); }

  // True if the running cell stops and Python goes on; false if Python itself had to be stopped.
  interrupt() {
    if (this.interruptBuffer && this.current) {
      new Uint8Array(this.interruptBuffer)[0] = 2;
      return true;
    }
    this.stop();
    return false;
  }

  stop() {
    this.worker?.terminate();
    this.worker = null;
    this.ready = null;
    for (const resolve of this.waiting.values()) resolve([]);
    this.waiting.clear();
    this.finish(false);
  }

  complete(text) {
    if (!this.worker || this.current) return Promise.resolve([]);
    const id = ++this.names;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.worker.postMessage({ type: "complete", id, text });
    });
  }
}
