// A formula or a table wider than its box scrolls inside it. The theme lets the keyboard reach
// wide code; this does the same for formulas, once they are set and whenever the page changes width.
const scrollable = "mjx-container[display=true], .cell_output > .output.text_html, .table-box";

function letTheKeyboardScroll() {
  for (const box of document.querySelectorAll(scrollable)) {
    if (box.scrollWidth > box.clientWidth) {
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", box.matches("mjx-container") ? "Formula" : "Table");
    } else if (box.getAttribute("role") === "group") {
      for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
    }
  }
}

window.addEventListener("load", async () => {
  await window.MathJax?.startup?.promise;
  letTheKeyboardScroll();
  new ResizeObserver(letTheKeyboardScroll).observe(document.body);
});
