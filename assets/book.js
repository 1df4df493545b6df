// A formula or a table wider than its box scrolls inside it. The theme lets the keyboard reach
// wide code; this does the same for formulas and tables, as they come into view or change width.
const scrollable = ".katex-display, .cell_output > .output.text_html, .table-box";

function letTheKeyboardScroll({ target: box }) {
  if (box.scrollWidth > box.clientWidth) {
    box.tabIndex = 0;
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", box.matches(".katex-display") ? "Formula" : "Table");
  } else if (box.getAttribute("role") === "group") {
    for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
  }
}

const widths = new ResizeObserver((entries) => entries.forEach(letTheKeyboardScroll));
for (const box of document.querySelectorAll(scrollable)) widths.observe(box);
