// The page of a gate.

function gatePage() {
  const several = DATA.subjects.length > 1;
  const tail = (text, at) => (several ? text + ": " + DATA.subjects[at].image : text);
  const sections = [section("verdict", "Verdict", DATA.subjects.map((one, at) => verdict(one, at, several)),
    DATA.next.length ? el("div", { class: "next" }, el("h3", null, "Next"),
      el("ul", null, DATA.next.map((line) => el("li", null, commands(line))))) : null)];
  if (DATA.changes.length) {
    sections.push(section("picture", "What came and what went", changes(), filterSection(), mapSection()));
  }
  DATA.subjects.forEach((one, at) => {
    if (one.tables.length) {
      sections.push(section("lists-" + at, tail("Who grew", at),
        one.tables.map((table) => listed(table, at))));
    }
  });
  return sections;
}

// Commands stand between backticks.
function commands(line) {
  return line.split("`").map((part, at) => (at % 2 ? el("code", { class: "mono" }, part) : part));
}

function verdict(one, at, several) {
  const title = several ? one.image + " (" + one.platform + ")" : null;
  return el("div", { class: "verdict" },
    el("p", { class: "says" }, el("span", { class: "state " + one.state }, one.state), " ",
      title ? el("strong", null, title + ": ") : null, one.headline),
    one.notices.length ? el("ul", { class: "notices" }, one.notices.map((notice) => el("li", { class: notice.level },
      el("div", null, commands(notice.message),
        notice.line ? [" ", el("span", { class: "tag mono" }, notice.line)] : null),
      notice.help ? el("div", { class: "faint" }, commands(notice.help)) : null,
      pathList(notice.paths.slice(0, 10), notice.paths.length, "path")))) : null,
    measuresOf(one, at));
}

function measuresOf(one, at) {
  return tableSection({
    id: "figures-" + at, title: "Figures", sort: { key: "order", down: false },
    name: (row) => row.name, none: "Nothing was measured.",
    rows: () => one.measures.map((row, order) => ({ ...row, order })),
    columns: [
      { key: "order", title: "Metric", head: true, grow: true, value: (row) => row.order,
        cell: (row) => row.name },
      { key: "base", title: "Before", num: true, wide: true, value: (row) => row.base || "",
        cell: (row) => row.base || "n/a" },
      { key: "value", title: "Now", num: true, value: (row) => row.value || "",
        cell: (row) => row.value || "n/a" },
      { key: "delta", title: "Change", num: true, value: (row) => row.delta,
        cell: (row) => el("span", { class: tone(row.delta) }, row.change || "") },
      { key: "budget", title: "Budget", wide: true, value: (row) => row.budget || "",
        cell: (row) => el("span", { class: "num" }, row.budget || "") },
      { key: "state", title: "State", value: (row) => row.state || "",
        cell: (row) => (row.state ? el("span", { class: "state " + row.state }, row.state) : "") },
    ],
  });
}

function worth(cell) {
  for (const key of ["delta", "bytes", "count"]) if (key in cell) return cell[key];
  return cell.code || cell.text || "";
}

function shownCell(cell) {
  if ("delta" in cell) return change(cell.delta);
  if ("bytes" in cell) return sized(cell.bytes);
  if ("count" in cell) return count(cell.count);
  if ("code" in cell) return cell.code.startsWith("/") ? path(cell.code) : el("span", { class: "mono" }, cell.code);
  return cell.text || "";
}

function listed(table, at) {
  const isNumber = (index) => table.rows.some((row) => "delta" in row[index] || "bytes" in row[index]);
  const isLong = (index) => table.rows.some((row) => String(worth(row[index])).length > 24);
  const first = table.columns.findIndex((_, index) => table.rows.some((row) => "code" in row[index]));
  return tableSection({
    id: table.name + "-" + at, title: table.title, sort: { key: "order", down: false },
    name: (row) => row.cells.map((cell) => cell.code || cell.text || "").join(" "), none: "None.",
    rows: () => table.rows.map((cells, order) => ({ cells, order })).filter((row) => {
      const texts = row.cells.map((cell) => cell.code || cell.text || "");
      return fits({ paths: texts, states: filter.state === NONE ? [] : [STATES[filter.state].name] });
    }),
    columns: [
      { key: "order", title: "#", value: (row) => row.order, cell: (row) => String(row.order + 1) },
      ...table.columns.map((title, index) => ({
        key: "c" + index, title, num: isNumber(index), head: index === first, grow: index === first,
        wide: index > 3 && !isNumber(index), roomy: index !== first && !isNumber(index) && isLong(index),
        value: (row) => worth(row.cells[index]),
        cell: (row) => shownCell(row.cells[index]),
      })),
    ],
    tail: () => (table.rest ? table.rest : ""),
  });
}
