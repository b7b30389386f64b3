// Makes a visited site work offline, and gives its pages cross-origin isolation on hosts that send no such headers
// (GitHub Pages). Files are kept by content: FILES maps each path to its hash, written by tools/site_finish.py.
const FILES = {/*files*/};
const CORE = [/*core*/];
const CACHE = "minik8s-files";
const scope = new URL(self.registration.scope);

const pathOf = (url) => {
  const path = decodeURIComponent(url.pathname.slice(scope.pathname.length));
  return path === "" || path.endsWith("/") ? `${path}index.html` : path;
};
const keyOf = (path) => new URL(`${encodeURI(path)}?kept=${FILES[path]}`, scope).href;

function isolated(response) {
  if (response.status === 0 || response.type === "opaqueredirect") return response;
  const headers = new Headers(response.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

async function keep(path) {
  const cache = await caches.open(CACHE);
  const key = keyOf(path);
  const kept = await cache.match(key);
  if (kept) return kept;
  const response = await fetch(new URL(encodeURI(path), scope), { cache: "no-cache" });
  if (response.ok && !response.redirected) await cache.put(key, response.clone());
  return response;
}

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(Promise.all(CORE.map(keep)).catch(() => undefined));
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    const wanted = new Set(Object.keys(FILES).map(keyOf));
    const cache = await caches.open(CACHE);
    for (const request of await cache.keys()) if (!wanted.has(request.url)) await cache.delete(request);
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== scope.origin || !url.pathname.startsWith(scope.pathname)) return;
  const path = pathOf(url);
  if (!(path in FILES)) return;
  event.respondWith(keep(path).then(isolated));
});

// The reader asked for the whole book: keep every file, and say how far it is.
self.addEventListener("message", (event) => {
  if (event.data !== "keep-all") return;
  event.waitUntil((async () => {
    const paths = Object.keys(FILES);
    let done = 0;
    for (let start = 0; start < paths.length; start += 8) {
      await Promise.all(paths.slice(start, start + 8).map((path) => keep(path).then((response) => response.body?.cancel?.())));
      done = Math.min(paths.length, start + 8);
      event.source.postMessage({ kept: done, all: paths.length });
    }
  })().catch(() => event.source.postMessage({ failed: true })));
});
