// What is looked at: by path, package, layer, rule, state. The map and all tables follow.

const filter = { path: "", layer: NONE, pack: NONE, rule: NONE, state: NONE, change: "" };
const controls = {};

function isFiltered() {
  return Boolean(filter.path || filter.change) || filter.layer !== NONE || filter.pack !== NONE
    || filter.rule !== NONE || filter.state !== NONE;
}

function setFilter(some) {
  Object.assign(filter, some);
  if ("change" in some) filter.state = STATES.findIndex((state) => state.name === filter.change);
  else if ("state" in some && DATA.view !== "analysis") {
    filter.change = filter.state === NONE ? "" : STATES[filter.state].name;
  }
  for (const [name, control] of Object.entries(controls)) {
    if (control.value !== String(filter[name])) control.value = String(filter[name]);
  }
  refresh();
}

function refresh() {
  weigh(filter);
  // A change that no rectangle stands for has nothing in the map.
  if (filter.change && filter.state === NONE) for (const column of [main, side, counts]) column.fill(0);
  draw();
  for (const table of tables) table.update();
  controlsState();
}

const matched = el("p", { class: "matched", role: "status", "aria-live": "polite" });
const clear = el("button", { type: "button", class: "quiet", onclick: () => setFilter({
  path: "", layer: NONE, pack: NONE, rule: NONE, state: NONE, change: "",
}) }, "Clear");

function controlsState() {
  clear.hidden = !isFiltered();
  const atLeast = untold ? "at least " : "";
  matched.hidden = !isFiltered();
  matched.textContent = isFiltered()
    ? atLeast + counted(counts[0], "file") + ": " + [[main, PICTURE.main], [side, PICTURE.side]]
      .map(([weights, word]) => size(weights[0]) + " " + word).join(", ")
    : "";
}

function filterSection() {
  const form = el("form", { class: "filter", role: "search", "aria-label": "Filter",
    onsubmit: (event) => event.preventDefault() });
  let waits = 0;
  controls.path = el("input", { type: "search", id: "filter-path", placeholder: "Filter by path",
    "aria-label": "Filter by path", autocomplete: "off", spellcheck: "false" });
  controls.path.addEventListener("input", () => {
    clearTimeout(waits);
    waits = setTimeout(() => setFilter({ path: controls.path.value }), 120);
  });
  form.append(controls.path);
  const choice = (name, all, label, options) => {
    if (!options.length) return;
    const select = el("select", { id: "filter-" + name, "aria-label": label },
      el("option", { value: name === "change" ? "" : NONE }, all),
      options.map(([value, text]) => el("option", { value }, text)));
    select.addEventListener("change", () => {
      setFilter({ [name]: name === "change" ? select.value : Number(select.value) });
    });
    controls[name] = select;
    form.append(select);
  };
  if (DATA.view === "analysis") {
    choice("layer", "All layers", "Filter by layer",
      DATA.layers.map((row) => [row.index, clipped(layerTitle(row.index), 60)]));
    choice("pack", "All packages", "Filter by package",
      DATA.packages.map((row, at) => [at, packTitle(at)]));
    choice("rule", "All rules", "Filter by rule", DATA.rules.map((rule, at) => [at, rule]));
  } else {
    choice("change", "All changes", "Filter by change",
      DATA.changes.map((row) => [row.change, row.change]));
  }
  form.append(clear, matched);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target.closest("input, select, textarea")) return;
    event.preventDefault();
    controls.path.focus();
  });
  return form;
}

function clipped(text, most) {
  const characters = Array.from(text);
  return characters.length > most ? characters.slice(0, most - 1).join("") + "…" : text;
}

// Whether a row of a table fits: what it says of each of these.
function fits(row) {
  const needle = filter.path.toLowerCase();
  return (!needle || row.paths.some((text) => text.toLowerCase().includes(needle)))
    && (filter.layer === NONE || row.layers.includes(filter.layer))
    && (filter.pack === NONE || row.packs.includes(DATA.packages[filter.pack][0]))
    && (filter.rule === NONE || row.rules.includes(DATA.rules[filter.rule]))
    && (filter.state === NONE || row.states.includes(STATES[filter.state].name));
}
