// The ledger of claims: show the rows of one paper, one chapter, one kind. The page's address may
// hold a choice, and a link names the address of what is chosen now.
const form = document.querySelector(".ledger-choices");
const tables = [...document.querySelectorAll("table.claims-ledger")];
const rows = tables.flatMap((table) => [...table.tBodies[0].rows]);
const selects = [...form.querySelectorAll("select")];

function show() {
  const { paper, chapter, kind } = Object.fromEntries(new FormData(form));
  for (const table of tables) {
    const section = table.closest("section");
    const wanted = !chapter || section.id === chapter;
    for (const row of table.tBodies[0].rows) {
      row.hidden = !(wanted && [paper, kind].every((name) => !name || row.classList.contains(name)));
    }
    section.hidden = [...table.tBodies[0].rows].every((row) => row.hidden);
  }
  const shown = rows.filter((row) => !row.hidden).length;
  form.querySelector("[role=status]").textContent = `${shown} of ${rows.length} claims shown`;
  const chosen = new URLSearchParams(selects.filter((s) => s.value).map((s) => [s.name, s.value]));
  form.querySelector("a").href = `${location.pathname}?${chosen}`;
}

const asked = new URLSearchParams(location.search);
for (const select of selects) {
  const value = asked.get(select.name);
  if ([...select.options].some((option) => option.value === value)) select.value = value;
}
form.addEventListener("change", show);
// The form is reset after this event.
form.addEventListener("reset", () => setTimeout(show));
form.hidden = false;
show();
