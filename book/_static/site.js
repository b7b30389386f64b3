// Quizzes, predictions, glossary tips, search and the reader's record. Plain script; a page reads well without it.
(() => {
  "use strict";
  const root = new URL(document.documentElement.dataset.content_root || "./", location.href);
  const page = location.pathname.slice(root.pathname.length).replace(/\.html$/, "") || "index";
  const PREFIX = "minik8s.";
  const store = {
    get(key) { try { return JSON.parse(localStorage.getItem(PREFIX + key)); } catch { return null; } },
    set(key, value) { try { localStorage.setItem(PREFIX + key, JSON.stringify(value)); } catch { /* private mode */ } },
  };
  const make = (tag, options = {}, ...children) => {
    const { dataset, ...rest } = options;
    const element = Object.assign(document.createElement(tag), rest);
    if (dataset) Object.assign(element.dataset, dataset);
    element.append(...children);
    return element;
  };

  // -- quizzes -------------------------------------------------------------------------------------------------
  const same = (text) => text.replace(/\s+/g, " ").trim();

  class Quiz {
    constructor(box) {
      this.box = box;
      this.kind = box.dataset.quizType;
      this.key = `quiz:${page}:${box.dataset.quizId}`;
      this.answers = box.querySelector("details.quiz-answers");
      this.notes = [...(this.answers?.querySelectorAll(".quiz-feedback > li") ?? [])];
      this.list = box.querySelector(".quiz-options");
      this.items = [...(this.list?.children ?? [])];
      this.right = (box.dataset.quizRight ?? "").split(" ").filter(Boolean).map(Number);
      this.verdict = make("span", { className: "quiz-verdict" });
      this.verdict.setAttribute("role", "status");
      const button = make("button", { type: "button", textContent: "확인", onclick: () => this.check() });
      if (this.kind === "order") this.order();
      else if (this.list) this.choose();
      else this.type();
      this.answers.before(make("div", { className: "quiz-row" }, button, this.verdict));
      const saved = store.get(this.key);
      if (saved?.right) this.say(true, "전에 맞혔다");
    }

    choose() {
      const many = this.right.length > 1;
      this.list.setAttribute("role", many ? "group" : "radiogroup");
      this.list.setAttribute("aria-label", many ? "보기 (여러 개 고르기)" : "보기");
      this.inputs = this.items.map((item) => {
        const input = make("input", { type: many ? "checkbox" : "radio", name: `quiz-${this.box.dataset.quizId}` });
        const text = make("span", {}, ...item.childNodes);
        item.setAttribute("role", "presentation");
        item.append(make("label", {}, input, text));
        return input;
      });
    }

    order() {
      this.list.classList.add("quiz-order");
      this.places = this.items.map((_, index) => index);
      this.items.forEach((item) => {
        const name = same(item.textContent);
        const move = (by) => () => {
          const other = by < 0 ? item.previousElementSibling : item.nextElementSibling;
          if (!other) return;
          by < 0 ? other.before(item) : other.after(item);
          (by < 0 ? up : down).focus();
          this.say(null, "");
        };
        const text = make("div", { className: "quiz-item" }, ...item.childNodes);
        const up = make("button", { type: "button", textContent: "↑", onclick: move(-1) });
        const down = make("button", { type: "button", textContent: "↓", onclick: move(1) });
        up.setAttribute("aria-label", `위로: ${name}`);
        down.setAttribute("aria-label", `아래로: ${name}`);
        item.append(text, up, down);
      });
    }

    type() {
      this.input = make("input", { type: "text", className: "quiz-text", autocomplete: "off", spellcheck: false });
      this.input.setAttribute("aria-label", "출력을 적어 보자");
      this.input.addEventListener("keydown", (event) => { if (event.key === "Enter") this.check(); });
      this.answers.before(this.input);
    }

    check() {
      if (this.kind === "order") {
        const now = [...this.list.children].map((item) => this.items.indexOf(item));
        const good = now.every((item, place) => item === this.right[place]);
        return this.done(good, good ? "순서가 맞다" : "아직 아니다. 순서를 바꿔 보자");
      }
      if (this.input) {
        const good = same(this.input.value) === same(this.box.dataset.quizAnswer ?? "");
        return this.done(good, good ? "맞다" : "아니다. 다시 생각해 보자");
      }
      const chosen = this.inputs.flatMap((input, index) => (input.checked ? [index] : []));
      if (!chosen.length) return this.say(null, "먼저 보기를 고르자");
      this.items.forEach((item, index) => this.note(item, index, chosen.includes(index)));
      const good = chosen.length === this.right.length && chosen.every((index) => this.right.includes(index));
      const part = !good && chosen.every((index) => this.right.includes(index));
      this.done(good, good ? "맞다" : part ? "맞지만 더 있다" : "아니다. 해설을 읽고 다시 골라 보자");
    }

    note(item, index, chosen) {
      item.querySelector(".quiz-note")?.remove();
      item.classList.remove("quiz-right", "quiz-wrong");
      if (!chosen) return;
      item.classList.add(this.right.includes(index) ? "quiz-right" : "quiz-wrong");
      const note = make("div", { className: "quiz-note" });
      for (const child of this.notes[index]?.childNodes ?? []) note.append(child.cloneNode(true));
      item.append(note);
    }

    done(good, text) {
      this.say(good, text);
      const saved = store.get(this.key) ?? { tries: 0, right: false };
      store.set(this.key, { tries: saved.tries + 1, right: saved.right || good });
    }

    say(good, text) {
      this.verdict.textContent = text;
      this.verdict.style.color = good === null ? "" : good ? "var(--book-good)" : "var(--book-bad)";
    }
  }

  // -- predictions: the reader's own note stays with the page ---------------------------------------------------
  function predictions() {
    document.querySelectorAll(".box-predict").forEach((box, index) => {
      const key = `predict:${page}:${index}`;
      const note = make("textarea", { className: "predict-note", rows: 1, placeholder: "내 예측을 적어 두자", value: store.get(key) ?? "" });
      note.setAttribute("aria-label", "내 예측");
      note.addEventListener("change", () => store.set(key, note.value));
      const fold = box.querySelector(":scope > details");
      fold ? fold.before(note) : box.append(note);
    });
  }

  // -- glossary tips --------------------------------------------------------------------------------------------
  const glossaries = new Map();
  let tip = null;

  function glossary(url) {
    if (!glossaries.has(url)) {
      glossaries.set(url, fetch(url).then((answer) => answer.text()).then((text) => new DOMParser().parseFromString(text, "text/html")));
    }
    return glossaries.get(url);
  }

  function hideTip() {
    tip?.owner.removeAttribute("aria-describedby");
    tip?.element.remove();
    tip = null;
  }

  async function showTip(link) {
    if (tip?.owner === link || !location.protocol.startsWith("http")) return;
    const [url, id] = link.href.split("#");
    const here = url === location.href.split("#")[0];
    const source = here ? document : await glossary(url).catch(() => null);
    let entry = source?.getElementById(decodeURIComponent(id))?.closest("dt");
    if (!entry || !(link.matches(":hover") || link === document.activeElement)) return;
    while (entry && entry.tagName !== "DD") entry = entry.nextElementSibling;
    if (!entry) return;
    hideTip();
    const element = make("div", { className: "term-tip", id: "term-tip" });
    element.setAttribute("role", "tooltip");
    [...entry.children].slice(0, 2).forEach((child) => element.append(make("p", { textContent: same(child.textContent) })));
    document.body.append(element);
    const place = link.getBoundingClientRect();
    const left = Math.min(place.left, document.documentElement.clientWidth - element.offsetWidth - 12);
    element.style.left = `${Math.max(12, left) + scrollX}px`;
    const above = place.bottom + element.offsetHeight + 12 > innerHeight && place.top > element.offsetHeight;
    element.style.top = `${(above ? place.top - element.offsetHeight - 6 : place.bottom + 6) + scrollY}px`;
    link.setAttribute("aria-describedby", "term-tip");
    tip = { owner: link, element };
  }

  function terms() {
    const links = document.querySelectorAll('.bd-article a.internal[href*="#term-"]');
    for (const link of links) {
      link.addEventListener("mouseenter", () => showTip(link));
      link.addEventListener("focus", () => showTip(link));
      link.addEventListener("mouseleave", hideTip);
      link.addEventListener("blur", hideTip);
    }
    if (links.length) document.addEventListener("keydown", (event) => { if (event.key === "Escape") hideTip(); });
  }

  // -- search: Pagefind's index, our words --------------------------------------------------------------------
  const SYNONYMS = [
    [/포드/g, "파드"], [/pods?\b/gi, "파드"], [/디렉토리/g, "디렉터리"], [/마스터\s*노드/g, "컨트롤 플레인"],
    [/자동화된\s*복구|셀프\s*힐링/g, "자가 치유"], [/라벨/g, "레이블"], [/쉘/g, "셸"], [/카나리아/g, "카나리"],
    [/deployments?\b/gi, "디플로이먼트"], [/replicasets?\b/gi, "레플리카셋"], [/configmaps?\b/gi, "컨피그맵"],
    [/secrets?\b/gi, "시크릿"], [/namespaces?\b/gi, "네임스페이스"], [/쿠버네티즈|kubernetes|k8s/gi, "쿠버네티스"],
    [/스케쥴/g, "스케줄"], [/어플리케이션/g, "애플리케이션"], [/도커\s*이미지/g, "컨테이너 이미지"],
  ];
  const ENDING = /(으로써|으로서|에서는|에게서|까지는|입니다|합니다|됩니다|이라는|에서|에게|으로|까지|부터|처럼|보다|이란|하는|되는|하기|되기|한다|된다|이다|은|는|이|가|을|를|의|에|와|과|로|도|만)$/;
  let engine = null;

  const translate = (text) => SYNONYMS.reduce((words, [wrong, right]) => words.replace(wrong, right), text);
  const stems = (text) => text.split(/\s+/).map((word) => (word.length > 2 ? word.replace(ENDING, "") : word)).join(" ");

  async function find(query) {
    engine ??= import(new URL("pagefind/pagefind.js", root)).then(async (module) => {
      await module.options({ baseUrl: root.pathname, excerptLength: 24 });
      return module;
    });
    const pagefind = await engine;
    const tries = [...new Set([query, translate(query), stems(translate(query))])];
    const seen = new Map();
    for (const words of tries) {
      const found = await pagefind.search(words);
      for (const result of found.results) if (!seen.has(result.id)) seen.set(result.id, result);
      if (words !== query && seen.size > 20) break;
    }
    return { words: tries.at(-1), results: await Promise.all([...seen.values()].slice(0, 12).map((result) => result.data())) };
  }

  function entry(data) {
    const part = data.sub_results?.[0];
    const target = part?.url ?? data.url;
    const title = part && part.title !== data.meta.title ? `${data.meta.title} › ${part.title}` : data.meta.title;
    const excerpt = make("p");
    excerpt.innerHTML = part?.excerpt ?? data.excerpt; // Pagefind escapes the text and adds <mark>
    return make("li", {}, make("a", { href: target, textContent: title.replace(/#/g, "") }), excerpt);
  }

  function searching(box) {
    const input = box.querySelector('input[type="search"]');
    const results = box.querySelector(".search-results");
    let latest = 0;
    const say = (text) => results.replaceChildren(make("p", { className: "search-say", textContent: text }));
    const look = async () => {
      const query = input.value.trim();
      const mine = ++latest;
      if (!query) return results.replaceChildren();
      try {
        const { words, results: found } = await find(query);
        if (mine !== latest) return;
        if (!found.length) return say(`“${query}”을(를) 찾지 못했다.`);
        results.replaceChildren(make("ol", {}, ...found.map(entry)));
        if (words !== query) results.prepend(make("p", { className: "search-say", textContent: `“${words}”도 함께 찾았다.` }));
      } catch {
        if (mine === latest) say("찾아보기를 읽지 못했다.");
      }
    };
    let timer = 0;
    input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(look, 120); });
    box.querySelector("form").addEventListener("submit", (event) => { event.preventDefault(); look(); });
    return { input, look };
  }

  function search() {
    const dialog = document.getElementById("search-dialog");
    if (dialog) {
      const { input } = searching(dialog);
      const open = () => { if (!dialog.open) dialog.showModal(); input.focus(); input.select(); };
      document.querySelectorAll(".search-open").forEach((button) => button.addEventListener("click", open));
      dialog.querySelector(".search-close").addEventListener("click", () => dialog.close());
      dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
      document.addEventListener("keydown", (event) => {
        if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); open(); }
      });
    }
    const whole = document.querySelector(".search-page");
    if (whole) {
      const { input, look } = searching(whole);
      input.value = new URLSearchParams(location.search).get("q") ?? "";
      look();
    }
  }

  // -- the reader's record ------------------------------------------------------------------------------------
  function record() {
    const data = {};
    for (let index = 0; index < localStorage.length; index++) {
      const key = localStorage.key(index);
      if (key.startsWith(PREFIX)) data[key] = localStorage.getItem(key);
    }
    return data;
  }

  function progress() {
    const button = document.querySelector(".progress-open");
    if (!button) return;
    const dialog = make("dialog", { className: "progress-dialog" });
    dialog.setAttribute("aria-label", "내 기록");
    const text = make("p");
    const file = make("input", { type: "file", accept: "application/json", hidden: true });
    const act = (label, action) => make("button", { type: "button", textContent: label, onclick: action });
    const show = () => {
      const quizzes = Object.entries(record()).filter(([key]) => key.startsWith(`${PREFIX}quiz:`)).map(([, value]) => JSON.parse(value));
      const edits = Object.keys(record()).filter((key) => key.startsWith(`${PREFIX}edit:`)).length;
      text.textContent = `맞힌 퀴즈 ${quizzes.filter((quiz) => quiz.right).length}개(푼 것 ${quizzes.length}개), 고쳐 둔 셀 ${edits}개. 기록은 이 브라우저에만 있다.`;
    };
    const save = () => {
      const link = make("a", { href: URL.createObjectURL(new Blob([JSON.stringify(record(), null, 1)], { type: "application/json" })), download: "minik8s-record.json" });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    };
    file.addEventListener("change", async () => {
      try {
        const data = JSON.parse(await file.files[0].text());
        for (const [key, value] of Object.entries(data)) if (key.startsWith(PREFIX) && typeof value === "string") localStorage.setItem(key, value);
        show();
      } catch { text.textContent = "읽을 수 없는 파일이다."; }
    });
    const clear = () => {
      if (!confirm("이 브라우저에 있는 내 기록을 모두 지울까?")) return;
      for (const key of Object.keys(record())) localStorage.removeItem(key);
      show();
    };
    dialog.append(make("h2", { textContent: "내 기록" }), text, make("div", { className: "row" },
      act("내보내기", save), act("가져오기", () => file.click()), act("모두 지우기", clear), act("닫기", () => dialog.close())), file);
    document.body.append(dialog);
    button.addEventListener("click", () => { show(); dialog.showModal(); });
  }

  // -- offline ------------------------------------------------------------------------------------------------
  // Not on the reader's own machine, where `run.py` serves: there a rebuilt page must show at once.
  function offline() {
    if (!("serviceWorker" in navigator) || (location.protocol !== "https:" && !store.get("offline"))) return;
    const button = document.querySelector(".keep-all");
    navigator.serviceWorker.register(new URL("sw.js", root)).then(() => { if (button) button.hidden = false; }, () => {});
    navigator.serviceWorker.addEventListener("message", ({ data }) => {
      if (!button) return;
      button.textContent = data.failed ? "저장하지 못했다" : data.kept === data.all ? "오프라인에서도 읽을 수 있다" : `저장 중 ${Math.round((data.kept / data.all) * 100)} %`;
    });
    button?.addEventListener("click", async () => (await navigator.serviceWorker.ready).active.postMessage("keep-all"));
  }

  offline();
  document.querySelectorAll(".quiz").forEach((box) => new Quiz(box));
  predictions();
  terms();
  search();
  progress();
  document.documentElement.dataset.site = "ready"; // for tests: this script comes after the first paint
})();
