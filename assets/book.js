(() => {
// A box that is wider than its place scrolls inside it, and the keyboard reaches it. Each is looked
// at when it comes into view: to measure all at the start would lay out the whole chapter.
const scrollable = "pre, .katex-display, .cell_output > .output, .pst-scrollable-table-container";
const named = [[".katex-display", "Formula"], [".text_html, .pst-scrollable-table-container", "Table"]];

function letTheKeyboardScroll({ target: box }) {
  const name = named.find(([selector]) => box.matches(selector))?.[1];
  if (box.scrollWidth > box.clientWidth) {
    box.tabIndex = 0;
    if (name) box.setAttribute("role", "group");
    if (name) box.setAttribute("aria-label", name);
  } else if (box.tabIndex === 0) {
    for (const attribute of ["tabindex", "role", "aria-label"]) box.removeAttribute(attribute);
  }
}

const widths = new ResizeObserver((entries) => entries.forEach(letTheKeyboardScroll));
for (const box of document.querySelectorAll(scrollable)) widths.observe(box);

// The contents beside the page mark the section that is being read, and say what is left.
const links = new Map(
  [...document.querySelectorAll("nav.page-toc a")].map((link) => [link.hash.slice(1), link]),
);
const sections = [...document.querySelectorAll(".bd-article > section > section")];
const opening = [...document.querySelectorAll(".bd-article > section > :not(section)")];
const told = opening.map((part) => /about (\d+) minutes? to read/.exec(part.textContent)?.[1]);
const minutes = Number(told.find(Boolean) ?? 0);
const words = sections.map((section) =>
  [...section.querySelectorAll("p, li, pre")].reduce((sum, text) => sum + text.textContent.length, 0),
);
const total = words.reduce((sum, some) => sum + some, 0);

// Of sections in order, the last that begins above the upper third of the window.
function current(some) {
  return some.findLastIndex((section) => section.getBoundingClientRect().top < innerHeight / 3);
}

function markContents() {
  const at = Math.max(0, current(sections));
  const section = sections[at];
  if (!section) return;
  const inner = [...section.querySelectorAll("section")].filter((part) => links.has(part.id));
  const marked = [section, inner[current(inner)]].filter(Boolean).map((part) => links.get(part.id));
  for (const link of links.values()) {
    link.classList.toggle("active", marked.includes(link));
    link.parentElement.classList.toggle("active", marked.includes(link));
    if (link === marked[0]) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  const box = section.getBoundingClientRect();
  const seen = Math.min(1, Math.max(0, (innerHeight / 3 - box.top) / box.height));
  const rest = words.slice(at).reduce((sum, some) => sum + some, -seen * words[at]);
  const left = Math.ceil((minutes * rest) / total);
  const place = document.querySelector(".page-toc.onthispage");
  if (place && minutes) place.dataset.left = left ? `${left} min left` : "";
}

let asked = false;
function markSoon() {
  if (!asked) requestAnimationFrame(() => { asked = false; markContents(); });
  asked = true;
}
addEventListener("scroll", markSoon, { passive: true });
addEventListener("resize", markSoon);
markSoon();

// The words under a search result: what a formula shows, once, without its TeX.
if (typeof Search !== "undefined") {
  const textOf = Search.htmlToText;
  const spoken = /<span class="katex-mathml">[^]*?<\/math><\/span>/g;
  Search.htmlToText = (html, anchor) => textOf.call(Search, html.replace(spoken, ""), anchor);
}

// A prediction comes first: what follows it in its section shows once a guess is chosen, or skipped.
// The guess is kept for the next visit. Without this script, and in print, all is there.
for (const [number, box] of document.querySelectorAll(".admonition.tip").entries()) {
  if (!/^Predict/.test(box.querySelector(".admonition-title")?.textContent)) continue;
  const key = `guess ${location.pathname} ${number}`;
  const options = [...box.querySelectorAll("li")].filter((item) => /^\s*\([a-z]\)/.test(item.textContent));
  const rest = [];
  for (let next = box.nextElementSibling; next; next = next.nextElementSibling) rest.push(next);
  const foot = Object.assign(document.createElement("p"), { className: "guess-foot" });
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  const go = Object.assign(document.createElement("button"), { type: "button" });
  foot.append(said, go);
  box.append(foot);

  function show(guess) {
    for (const part of rest) part.removeAttribute("hidden");
    if (guess) said.textContent = `You said ${guess}. `;
    go.textContent = "Guess again";
    for (const [i, item] of options.entries()) item.firstChild.checked = letter(options[i]) === guess;
  }
  function letter(item) {
    return /\([a-z]\)/.exec(item.textContent)[0];
  }
  function ask() {
    for (const part of rest) part.setAttribute("hidden", "until-found");
    said.textContent = "";
    go.textContent = options.length ? "Skip" : "I have my guess";
    for (const item of options) item.firstChild.checked = false;
  }
  for (const item of options) {
    const label = document.createElement("label");
    label.append(...item.childNodes);
    const input = Object.assign(document.createElement("input"), { type: "radio", name: `guess-${number}` });
    item.append(input, label);
    input.id = label.htmlFor = `guess-${number}${letter(item)[1]}`;
    item.classList.add("guess");
    input.addEventListener("change", () => {
      localStorage.setItem(key, letter(item));
      show(letter(item));
    });
  }
  go.addEventListener("click", () => {
    const open = !rest[0]?.hasAttribute("hidden");
    if (open) localStorage.removeItem(key);
    else localStorage.setItem(key, "");
    if (open) ask();
    else show("");
  });
  const kept = localStorage.getItem(key);
  if (kept !== null || location.hash) show(kept);
  else ask();
}
})();
