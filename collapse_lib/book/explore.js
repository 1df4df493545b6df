// Every explorer that is on the page and not yet running: one page may hold several.
for (const root of document.querySelectorAll(".cl-explorer:not([data-on])")) {
  const store = root.querySelector('script[type="application/json"]');
  if (!store) continue;
  root.dataset.on = "";
  const {grid, changes, say} = JSON.parse(store.textContent);
  const moving = root.querySelectorAll(".cl-m");
  const sliders = [...root.querySelectorAll("input")];
  const sentence = root.querySelector(".cl-say");
  // What is stored once per distinct value: [values, which value each frame shows].
  const at = ([values, which], frame) => values[which ? which[frame] : frame];
  const show = () => {
    let frame = 0;
    sliders.forEach((slider, i) => {
      const text = grid[i][slider.value];
      frame = frame * grid[i].length + Number(slider.value);
      slider.nextElementSibling.value = text;
      slider.setAttribute("aria-valuetext", text);
    });
    for (const [element, attribute, ...track] of changes) {
      const value = at(track, frame);
      if (attribute === "inner") moving[element].innerHTML = value;
      else if (value === null) moving[element].removeAttribute(attribute);
      else moving[element].setAttribute(attribute, value);
    }
    sentence.textContent = at(say, frame);
  };
  for (const slider of sliders) slider.addEventListener("input", show);
  root.querySelector(".cl-ctl").hidden = false;
}
