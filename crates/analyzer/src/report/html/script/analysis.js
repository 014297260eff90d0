// The page of one image.

const packAt = new Map();

function analysisPage() {
  DATA.packages.forEach(([name, ecosystem], at) => packAt.set(ecosystem + " " + name, at));
  const filters = filterSection();
  const parts_ = [
    section("picture", "Final filesystem", filters, mapSection()),
    section("layers", "Layers", layerBars()),
  ];
  if (DATA.findings) parts_.push(section("todo", "What to do", suggestions(), findings()));
  parts_.push(section("files", "Files", largestFiles(), duplicates(), waste()));
  if (DATA.packageRows) parts_.push(section("packages", "Packages", packages()));
  if (DATA.warnings.length || DATA.blind.length) parts_.push(section("notes", "Notes", notes()));
  return parts_;
}

function layerBars() {
  const most = Math.max(1, ...DATA.layers.map((row) => row.files));
  return el("ol", { class: "layers" }, DATA.layers.map((row) => {
    const bar = (state, bytes) => {
      const part = el("span", { class: "part " + state, title: state + " " + exact(bytes) });
      part.style.width = (bytes / most) * 100 + "%";
      return part;
    };
    const text = instructionOf(row);
    const words = [sized(row.files, size(row.files))];
    if (row.wasted) words.push(" · ", sized(row.wasted, size(row.wasted) + " wasted"));
    if (row.hides) words.push(" · ", sized(row.hides, "hides " + size(row.hides)));
    if (row.compressedSize !== null) {
      words.push(" · ", sized(row.compressedSize, size(row.compressedSize) + " compressed"));
    }
    return el("li", null,
      el("div", { class: "line" },
        layerLink(row.index),
        row.base ? el("span", { class: "tag" }, "base") : null,
        text.length > 140 ? el("details", { class: "instruction" },
          el("summary", null, clipped(text, 120)), code(row.createdBy, "instruction"))
          : el("span", { class: "instruction" }, text)),
      el("div", { class: "meter", role: "img", "aria-label": "layer " + row.index + ": "
        + size(row.live) + " live, " + size(row.wasted) + " wasted" },
      bar("live", row.live), bar("wasted", row.wasted)),
      el("div", { class: "sums" }, words));
  }));
}

const LEVELS = { low: 1, medium: 2, high: 3, info: 0 };

function suggestions() {
  return tableSection({
    id: "suggestions", title: "Suggestions", sort: { key: "bytes", down: true },
    name: (row) => row.title, none: "No change is known that would save bytes.",
    rows: () => (filter.path || filter.state !== NONE || filter.layer !== NONE || filter.pack !== NONE
      ? [] : DATA.suggestions.rows).filter((row) => filter.rule === NONE
      || row.overlaps.includes(DATA.rules[filter.rule])),
    columns: [
      { key: "title", title: "What to do", head: true, grow: true, value: (row) => row.title,
        cell: (row) => row.title },
      { key: "kind", title: "Kind", wide: true, value: (row) => row.kind, cell: (row) => row.kind },
      { key: "confidence", title: "Confidence", wide: true, value: (row) => LEVELS[row.confidence],
        cell: (row) => row.confidence },
      { key: "pull", title: "Pull saves", num: true, wide: true, value: (row) => row.pullBytes || 0,
        cell: (row) => (row.pullBytes === null ? el("span", { class: "faint" }, "not known")
          : sized(row.pullBytes)) },
      { key: "bytes", title: "Saves", num: true, value: (row) => row.bytes,
        cell: (row) => sized(row.bytes) },
    ],
    detail: (row) => () => el("div", { class: "told" },
      el("ul", { class: "because" }, row.because.map((text) => el("li", null, text))),
      row.overlaps.length ? el("p", { class: "faint" },
        "The same bytes are in: " + row.overlaps.join(", ") + ".") : null,
      row.dockerfile ? code(row.dockerfile, "lines of a Dockerfile") : null,
      row.diff ? code(row.diff, "diff of the Dockerfile") : null),
    tail: () => (DATA.suggestions.more
      ? "And " + counted(DATA.suggestions.more, "suggestion") + " more: in full by --format json." : ""),
  });
}

function findings() {
  return tableSection({
    id: "findings", title: "Findings", sort: { key: "bytes", down: true },
    name: (row) => row.rule, none: "No rule finds anything.",
    rows: () => DATA.findings.rows.filter((row) => fits({
      paths: row.topPaths.map((one) => one.path).concat(row.places),
      layers: row.layer === null ? [] : [row.layer],
      packs: row.packages, rules: [row.rule], states: [],
    })),
    columns: [
      { key: "rule", title: "Rule", wide: true, value: (row) => row.rule,
        cell: (row) => ruleLink(DATA.rules.indexOf(row.rule)) },
      { key: "title", title: "Finding", head: true, grow: true, value: (row) => row.title,
        cell: (row) => [row.title, el("div", { class: "narrow mono faint" }, row.rule)] },
      { key: "severity", title: "Severity", value: (row) => LEVELS[row.severity],
        cell: (row) => el("span", { class: "level " + row.severity }, row.severity) },
      { key: "confidence", title: "Confidence", wide: true, value: (row) => LEVELS[row.confidence],
        cell: (row) => row.confidence },
      { key: "layer", title: "Layer", wide: true,
        value: (row) => (row.layer === null ? NONE : row.layer), cell: (row) => layerLink(row.layer) },
      { key: "paths", title: "Files", num: true, wide: true, value: (row) => row.paths,
        cell: (row) => count(row.paths) },
      { key: "bytes", title: "Bytes", num: true, value: (row) => row.bytes,
        cell: (row) => sized(row.bytes) },
    ],
    detail: (row) => () => el("div", { class: "told" },
      el("p", null, el("strong", null, "Remedy: "), row.remedy),
      row.evidence ? el("p", null, row.evidence) : null,
      row.instruction ? el("p", { class: "mono" }, row.instruction
        + (row.line === null ? "" : " (line " + row.line + ")")) : null,
      row.packages.length ? el("p", { class: "faint" }, "Packages: " + row.packages.join(", ")) : null,
      row.places.length ? pathList(row.places, row.places.length, "place") : null,
      pathList(row.topPaths, row.paths, "file")),
    tail: () => {
      const silent = DATA.ignored.rows.map((row) => row.rule + " (" + row.reason + ")");
      return [rest(DATA.findings, "found"),
        silent.length ? "Silenced by settings: " + silent.join(", ") + "." : ""].join(" ").trim();
    },
  });
}

function largestFiles() {
  return tableSection({
    id: "largest", title: "Largest files", sort: { key: "bytes", down: true },
    name: (row) => paths[row],
    rows: () => names.map((_, node) => node)
      .filter((node) => kinds[node] === FILE && main[node] + side[node] > 0),
    columns: [
      { key: "path", title: "Path", head: true, grow: true, value: (node) => paths[node],
        cell: (node) => placeLink(paths[node]) },
      { key: "state", title: "State", value: (node) => parts.state[partAt[node]],
        cell: (node) => {
          const state = STATES[parts.state[partAt[node]]];
          return stateChip(state.name, state.title);
        } },
      { key: "layer", title: "Layer", wide: true, value: (node) => parts.layer[partAt[node]],
        cell: (node) => layerLink(parts.layer[partAt[node]]) },
      ...(DATA.packages.length ? [{ key: "pack", title: "Package", wide: true,
        value: (node) => (parts.pack[partAt[node]] === NONE ? "" : packTitle(parts.pack[partAt[node]])),
        cell: (node) => packLink(parts.pack[partAt[node]]) }] : []),
      ...(DATA.rules.length ? [{ key: "rule", title: "Rule", wide: true,
        value: (node) => (parts.rule[partAt[node]] === NONE ? "" : DATA.rules[parts.rule[partAt[node]]]),
        cell: (node) => ruleLink(parts.rule[partAt[node]]) }] : []),
      { key: "bytes", title: "Bytes", num: true, value: (node) => parts.bytes[partAt[node]],
        cell: (node) => sized(parts.bytes[partAt[node]]) },
    ],
    tail: (rows) => {
      const own = rows.reduce((sum, node) => sum + main[node] + side[node], 0);
      const small = counts[0] - rows.length;
      return small > 0 ? counted(small, "more file") + " under " + size(DATA.threshold) + ", "
        + size(main[0] + side[0] - own) + " together, are counted by their directories in the map." : "";
    },
  });
}

function duplicates() {
  return tableSection({
    id: "duplicates", title: "Duplicates", sort: { key: "bytes", down: true },
    name: (row) => row.paths[0] || "files", none: "No two live files are equal.",
    rows: () => (filter.layer !== NONE || filter.pack !== NONE || filter.rule !== NONE
      || (filter.state !== NONE && STATES[filter.state].name !== "duplicate") ? []
      : DATA.duplicates.rows.filter((row) => fits({ paths: row.paths, states: ["duplicate"] }))),
    columns: [
      { key: "path", title: "First copy", head: true, grow: true, value: (row) => row.paths[0] || "",
        cell: (row) => (row.paths.length ? placeLink(row.paths[0]) : "(few bytes)") },
      { key: "copies", title: "Copies", num: true, value: (row) => row.copies,
        cell: (row) => count(row.copies) },
      { key: "bytes", title: "Beyond the first", num: true, value: (row) => row.bytes,
        cell: (row) => sized(row.bytes) },
    ],
    detail: (row) => (row.paths.length ? () => pathList(row.paths, row.copies, "path") : null),
    tail: () => rest(DATA.duplicates, "duplicate"),
  });
}

function waste() {
  return tableSection({
    id: "waste", title: "Waste", sort: { key: "bytes", down: true },
    name: (row) => row.cause, none: "Every byte of the layers is live.",
    rows: () => (filter.pack !== NONE || filter.rule !== NONE
      || (filter.state !== NONE && STATES[filter.state].name !== "wasted") ? []
      : DATA.waste.rows.filter((row) => fits({
        paths: row.topPaths.map((one) => one.path), states: ["wasted"],
        layers: [row.addedBy.layer, row.hiddenBy.layer],
      }))),
    columns: [
      { key: "cause", title: "Cause", head: true, value: (row) => row.cause, cell: (row) => row.cause },
      { key: "added", title: "Added by", value: (row) => row.addedBy.layer,
        cell: (row) => [layerLink(row.addedBy.layer),
          el("span", { class: "instruction wide" }, " " + clipped(row.addedBy.instruction || "", 60))] },
      { key: "hidden", title: "Hidden by", value: (row) => row.hiddenBy.layer,
        cell: (row) => [layerLink(row.hiddenBy.layer),
          el("span", { class: "instruction wide" }, " " + clipped(row.hiddenBy.instruction || "", 60))] },
      { key: "paths", title: "Files", num: true, wide: true, value: (row) => row.paths,
        cell: (row) => count(row.paths) },
      { key: "bytes", title: "Bytes", num: true, value: (row) => row.bytes,
        cell: (row) => sized(row.bytes) },
    ],
    detail: (row) => (row.topPaths.length ? () => pathList(row.topPaths, row.paths, "file") : null),
    tail: () => rest(DATA.waste, "wasted"),
  });
}

function packages() {
  const link = (row) => {
    const at = packAt.get(row.ecosystem + " " + row.name);
    return at === undefined ? row.name : packLink(at);
  };
  return tableSection({
    id: "package-list", title: "By bytes in the final filesystem", sort: { key: "bytes", down: true },
    name: (row) => row.name, none: "No package database is known here.",
    rows: () => DATA.packageRows.rows.filter((row) => (filter.pack === NONE
      || (row.name === DATA.packages[filter.pack][0] && row.ecosystem === DATA.packages[filter.pack][1]))),
    columns: [
      { key: "name", title: "Package", head: true, grow: true, value: (row) => row.name, cell: link },
      { key: "version", title: "Version", wide: true, value: (row) => row.version,
        cell: (row) => el("span", { class: "mono" }, row.version) },
      { key: "ecosystem", title: "Kind", wide: true, value: (row) => row.ecosystem,
        cell: (row) => row.ecosystem },
      { key: "reason", title: "Why", wide: true, value: (row) => row.reason, cell: (row) => row.reason },
      { key: "dependants", title: "Needed by", num: true, wide: true,
        value: (row) => row.dependantCount, cell: (row) => count(row.dependantCount) },
      { key: "unused", title: "Unused", num: true, value: (row) => row.unused,
        cell: (row) => sized(row.unused) },
      { key: "bytes", title: "Bytes", num: true, value: (row) => row.bytes,
        cell: (row) => sized(row.bytes) },
    ],
    detail: (row) => (row.dependants.length || row.contains.length ? () => el("div", { class: "told" },
      row.dependants.length ? el("p", null, "Needed by: " + row.dependants.join(", ")
        + (row.dependantCount > row.dependants.length ? " and "
          + count(row.dependantCount - row.dependants.length) + " more" : "")) : null,
      row.contains.length ? el("p", null, "Contains: " + row.contains.join(", ")) : null) : null),
    tail: () => rest(DATA.packageRows, "owned"),
  });
}

function notes() {
  const list = (title, rows) => (rows.length
    ? [el("h3", null, title), el("ul", { class: "because" }, rows.map((text) => el("li", null, text)))] : []);
  return el("div", { class: "list" }, list("Odd about the image", DATA.warnings),
    list("What could not be looked into", DATA.blind));
}
