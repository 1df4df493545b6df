// Every explorer that is on the page and not yet running: one page may hold several.
for (const root of document.querySelectorAll(".cl-explorer:not([data-on])")) {
  const store = root.querySelector('script[type="application/json"]');
  if (!store) continue;
  root.dataset.on = "";
  const {grid, changes, say} = JSON.parse(store.textContent);
  const moving = root.querySelectorAll(".cl-m");
  const sentence = root.querySelector(".cl-say");
  const rows = [...root.querySelectorAll("[data-name]")];
  const start = rows.map((row) => Number(row.dataset.start));
  const chosen = [...start];
  // What is stored once per distinct value: [values, which value each frame shows].
  const at = ([values, which], frame) => values[which ? which[frame] : frame];
  const show = () => {
    let frame = 0;
    rows.forEach((row, i) => {
      const text = grid[i][chosen[i]];
      frame = frame * grid[i].length + chosen[i];
      row.querySelector("output").value = text;
      const inputs = row.querySelectorAll("input");
      if (inputs.length > 1) inputs[chosen[i]].checked = true;
      else if (inputs.length) {
        inputs[0].value = chosen[i];
        inputs[0].setAttribute("aria-valuetext", text);
      }
    });
    for (const [element, attribute, ...track] of changes) {
      const value = at(track, frame);
      if (attribute === "inner") moving[element].innerHTML = value;
      else if (value === null) moving[element].removeAttribute(attribute);
      else moving[element].setAttribute(attribute, value);
    }
    sentence.textContent = at(say, frame);
  };
  // In the book, the address holds what is chosen: a link to it shows the same frame.
  const inBook = root.closest(".bd-article");
  const remember = () => {
    if (!inBook) return;
    const values = rows.map((row, i) => `${row.dataset.name}=${encodeURIComponent(grid[i][chosen[i]])}`);
    history.replaceState(null, "", `#${root.id}:${values.join("&")}`);
  };
  const recall = () => {
    const [id, values] = location.hash.slice(1).split(":");
    if (!inBook || id !== root.id || !values) return;
    const asked = new URLSearchParams(values);
    rows.forEach((row, i) => {
      const index = grid[i].indexOf(asked.get(row.dataset.name));
      if (index >= 0) chosen[i] = index;
    });
    show();
    root.scrollIntoView({block: "center"});
  };
  const choose = (i, index) => {
    chosen[i] = index;
    show();
  };
  rows.forEach((row, i) => {
    for (const input of row.querySelectorAll("input")) {
      input.addEventListener("input", () => choose(i, Number(input.value)));
      input.addEventListener("change", remember);
    }
    row.querySelector(".cl-next")?.addEventListener("click", () => {
      choose(i, (chosen[i] + 1) % grid[i].length);
      remember();
    });
  });
  const last = rows.length - 1;
  const play = root.querySelector(".cl-play");
  let playing = 0;
  const pause = () => {
    clearInterval(playing);
    playing = 0;
    play.textContent = "Play";
    sentence.setAttribute("aria-live", "polite");
    remember();
  };
  const step = () => {
    choose(last, (chosen[last] + 1) % grid[last].length);
    if (chosen[last] === grid[last].length - 1) pause();
  };
  if (play && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
    play.hidden = false;
    play.addEventListener("click", () => {
      if (playing) return pause();
      play.textContent = "Pause";
      sentence.setAttribute("aria-live", "off");
      step();
      playing ||= setInterval(step, 700);
    });
  }
  root.querySelector(".cl-reset").addEventListener("click", () => {
    if (playing) pause();
    start.forEach((index, i) => (chosen[i] = index));
    show();
    remember();
  });
  root.querySelector(".cl-ctl").hidden = false;
  recall();
  if (inBook) addEventListener("hashchange", recall);
}
