// Tables that can be sorted by each of their columns, show some rows at first, and open a row.

const tables = [];
const ROWS = 15;
const MORE_ROWS = 100;

// A section with a table. `spec` has an `id`, a `title`, `columns`, `rows()` after the filter, which
// column it is sorted by at first (`sort`), and perhaps what opens under a row (`detail`), a line
// below it (`tail(rows)`), and a sentence above it (`note`).
function tableSection(spec) {
  let { key, down } = spec.sort;
  let shown = ROWS;
  let rows = [];
  const column = (name) => spec.columns.find((one) => one.key === name);
  const body = el("tbody");
  const heads = spec.columns.map((one) => {
    const button = el("button", { type: "button", onclick: () => sortBy(one) }, one.title,
      el("span", { class: "arrow", "aria-hidden": "true" }));
    return el("th", { scope: "col", class: kind(one) }, button);
  });
  const lead = spec.detail ? [el("th", { class: "open" }, el("span", { class: "off" }, "Details"))] : [];
  const more = el("button", { type: "button", class: "more", onclick: () => {
    const first = shown;
    shown += MORE_ROWS;
    list();
    const next = body.querySelectorAll("tr.row")[first];
    const focus = next && next.querySelector("button");
    if (focus) focus.focus();
  } });
  const tail = el("p", { class: "tail" });
  const number = el("span", { class: "count" });
  const titled = el("h3", { id: spec.id + "-title" }, spec.title, " ", number);
  const grid = el("table", { "aria-labelledby": spec.id + "-title", class: spec.id },
    el("thead", null, el("tr", null, lead, heads)), body);

  function kind(one) {
    return [one.num ? "num" : "", one.wide ? "wide" : "", one.grow ? "grow" : "", one.roomy ? "roomy" : ""].join(" ").trim();
  }

  function sortBy(one) {
    if (key === one.key) down = !down;
    else {
      key = one.key;
      down = Boolean(one.num);
    }
    list();
  }

  function list() {
    const { value } = column(key);
    const turned = down ? -1 : 1;
    // Sorting is stable: what is equal stays as the report has it.
    const sorted = rows.map((row) => [value(row), row]).sort(([a], [b]) => (
      a === b ? 0 : (a < b ? -1 : 1) * turned)).map(([, row]) => row);
    heads.forEach((head, at) => {
      const isKey = spec.columns[at].key === key;
      head.setAttribute("aria-sort", isKey ? (down ? "descending" : "ascending") : "none");
    });
    body.replaceChildren(...sorted.slice(0, shown).map(line));
    const left = rows.length - Math.min(shown, rows.length);
    more.hidden = left <= 0;
    more.textContent = "Show " + (left > MORE_ROWS ? MORE_ROWS + " more of " + count(left) : left + " more");
    number.textContent = count(rows.length);
    const text = spec.tail ? spec.tail(rows) : "";
    tail.hidden = !text;
    tail.textContent = text;
    grid.hidden = rows.length === 0;
    empty.hidden = rows.length > 0;
    empty.textContent = isFiltered() ? "None fits the filter." : spec.none || "None.";
  }

  function line(row) {
    const cells = spec.columns.map((one) => el(one.head ? "th" : "td",
      { class: kind(one), scope: one.head ? "row" : null, "data-label": one.title }, one.cell(row)));
    const tr = el("tr", { class: "row" });
    const detail = spec.detail ? spec.detail(row) : null;
    if (spec.detail) tr.append(el("td", { class: "open" }, detail ? opener(tr, detail, row) : null));
    tr.append(...cells);
    return tr;
  }

  function opener(tr, detail, row) {
    let opened = null;
    const button = el("button", { type: "button", class: "opener", "aria-expanded": "false",
      "aria-label": "Details of " + spec.name(row) });
    button.addEventListener("click", () => {
      if (opened) opened.remove();
      opened = opened ? null : el("tr", { class: "detail" },
        el("td", { colspan: spec.columns.length + 1 }, detail()));
      if (opened) tr.after(opened);
      button.setAttribute("aria-expanded", opened ? "true" : "false");
    });
    return button;
  }

  const empty = el("p", { class: "none" });
  const table = {
    update() {
      shown = ROWS;
      rows = spec.rows();
      list();
    },
  };
  tables.push(table);
  return el("div", { class: "list", id: spec.id }, titled,
    spec.note ? el("p", { class: "hint" }, spec.note) : null,
    el("div", { class: "scroll" }, grid), empty, more, tail);
}

// The sentence of rows that the page has no room for.
function rest(list, word) {
  if (!list.more || isFiltered()) return "";
  return "And " + counted(list.more, "row") + " more with " + size(list.bytes) + " " + word
    + ": in full by --format json.";
}
