// The page of two images.

function diffPage() {
  return [
    section("picture", "What came and what went", changes(), filterSection(), mapSection()),
    section("layers", "Layers", layersAligned()),
    section("files", "Files", changedFiles(), directories()),
  ];
}

function tone(delta) {
  return delta > 0 ? "more" : delta < 0 ? "less" : "";
}

function change(delta) {
  return el("span", { class: "num " + tone(delta), title: exact(delta) }, signed(delta));
}

function changes() {
  if (!DATA.changes.length) return el("p", { class: "hint" }, "No file differs.");
  return el("ul", { class: "changes", "aria-label": "Live bytes by what became of files" }, DATA.changes.map((row) => el("li", null,
    el("span", { class: "dot " + row.change }), row.change + " ", counted(row.files, "file") + " ",
    change(row.delta))));
}

function layersAligned() {
  const [old, now] = DATA.sizes;
  const most = Math.max(1, ...old, ...now);
  return el("ol", { class: "layers pairs" }, DATA.layers.rows.map((row) => {
    const bar = (word, at, of) => {
      if (at === null) return null;
      const part = el("span", { class: "part " + (row.state === "same" ? "kept" : word) });
      part.style.width = (of[at] / most) * 100 + "%";
      return el("div", { class: "meter", role: "img", title: exact(of[at]),
        "aria-label": word + " layer " + at + ": " + size(of[at]) }, part);
    };
    const number = (at) => (at === null ? "–" : "#" + at);
    return el("li", { class: row.state },
      el("div", { class: "line" },
        el("span", { class: "mono faint" }, number(row.old) + " → " + number(row.new)),
        el("span", { class: "tag " + row.state }, row.state),
        el("span", { class: "instruction" },
          clipped(row.instruction || "(no instruction in the history)", 300))),
      row.state === "same" ? bar("new", row.new, now)
        : el("div", { class: "two" }, bar("old", row.old, old), bar("new", row.new, now)),
      el("div", { class: "sums" }, row.state === "same" ? sized(now[row.new]) : [
        row.old === null ? null : [sized(old[row.old], size(old[row.old]) + " before"), " · "],
        row.new === null ? null : [sized(now[row.new], size(now[row.new]) + " now"), " · "],
        change(row.delta),
      ]));
  }));
}

function changedFiles() {
  return tableSection({
    id: "changed", title: "Files that differ", sort: { key: "weight", down: true },
    name: (row) => row.path, none: "No file differs.",
    rows: () => DATA.files.rows.filter((row) => (!filter.change || row.change === filter.change)
      && fits({ paths: row.from ? [row.path, row.from] : [row.path], states: [row.change] })),
    columns: [
      { key: "path", title: "Path", head: true, grow: true, value: (row) => row.path,
        cell: (row) => [path(row.path), row.from
          ? el("div", { class: "faint" }, "from ", path(row.from)) : null] },
      { key: "change", title: "Change", value: (row) => row.change,
        cell: (row) => stateChip(row.change) },
      { key: "old", title: "Before", num: true, wide: true, value: (row) => row.old,
        cell: (row) => sized(row.old) },
      { key: "new", title: "Now", num: true, wide: true, value: (row) => row.new,
        cell: (row) => sized(row.new) },
      { key: "weight", title: "Delta", num: true, value: (row) => Math.abs(row.delta),
        cell: (row) => change(row.delta) },
    ],
    tail: () => rest(DATA.files, "of change"),
  });
}

function directories() {
  return tableSection({
    id: "directories", title: "Directories that changed most", sort: { key: "weight", down: true },
    name: (row) => row.path, none: "No directory has more or fewer bytes.",
    note: "Each with all that is below it; a file that moved is less there and more here.",
    rows: () => (filter.change ? [] : DATA.directories.rows
      .filter((row) => row.path !== "/" && fits({ paths: [row.path], states: [] }))),
    columns: [
      { key: "path", title: "Directory", head: true, grow: true, value: (row) => row.path,
        cell: (row) => placeLink(row.path) },
      { key: "weight", title: "Delta", num: true, value: (row) => Math.abs(row.delta),
        cell: (row) => change(row.delta) },
    ],
    tail: () => rest(DATA.directories, "of change"),
  });
}
