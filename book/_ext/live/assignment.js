// A page that is an assignment: a student opens the file that the class handed out, and the page shows the own values.
const NO_KIT = "과제 파일이 아니다. 이름이 .assignment.json으로 끝나는 파일을 열자.";

function remember(key, text) {
  try { text ? localStorage.setItem(key, text) : localStorage.removeItem(key); } catch { /* private mode */ }
}

function recall(key) { try { return localStorage.getItem(key); } catch { return null; } }

function read(text, name) {
  let kit;
  try { kit = JSON.parse(text); } catch { throw new Error(NO_KIT); }
  if (typeof kit?.values !== "object" || !Array.isArray(kit.cells)) throw new Error(NO_KIT);
  if (kit.assignment !== name) throw new Error(`이 파일은 다른 과제(${kit.assignment})의 것이다. ${name}.assignment.json을 열자.`);
  return kit;
}

export function wireKit(form, { cells, session, restart }) {
  const name = form.dataset.assignment;
  const key = `minik8s.kit:${name}`;
  const status = form.querySelector("[role=status]");
  const [input, back] = [form.querySelector("input"), form.querySelector("button")];
  const shown = cells.filter((cell) => !cell.hidden);
  const practice = {
    said: status.innerHTML,
    cells: shown.map((cell) => cell.original),
    values: [...document.querySelectorAll(".variant")].map((element) => [element, element.textContent]),
  };

  async function show(sources) {
    restart(); // what ran, ran with other values
    for (const [index, cell] of shown.entries()) if (sources[index] !== undefined) await cell.become(sources[index]);
  }

  async function open(text) {
    const kit = read(text, name);
    session.files.set(`${name}.assignment.json`, text);
    for (const [element] of practice.values) {
      const field = [...element.classList].find((one) => one.startsWith("variant-")).slice("variant-".length);
      if (field in kit.values) element.textContent = String(kit.values[field]);
    }
    await show(kit.cells);
    status.textContent = `${kit.student}의 값이다. 마지막 셀이 제출 파일을 만든다.`;
    back.hidden = false;
    remember(key, text);
  }

  async function forget() {
    session.files.clear();
    for (const [element, text] of practice.values) element.textContent = text;
    await show(practice.cells);
    status.innerHTML = practice.said;
    input.value = "";
    back.hidden = true;
    remember(key, null);
  }

  input.addEventListener("change", async () => {
    const file = input.files[0];
    if (!file) return;
    try { await open(await file.text()); } catch (error) { status.textContent = error.message; }
  });
  back.addEventListener("click", forget);
  const kept = recall(key);
  if (kept) open(kept).catch(() => remember(key, null));
}
