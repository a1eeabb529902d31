// The table of all volumes.
const PAGE = 100;

function columnsOf(data) {
  const { columns, gateways, accounts, regions, rules, waivers } = data.volumes;
  const order = Object.keys(data.signs);
  const gateway = (row) => gateways[columns.gateway[row]];
  const account = (row) => accounts[gateway(row)[2]];
  const status = (row) => data.statuses[columns.status[row]];
  // A clock that is a little off makes a point no worse; one that lies ahead says nothing of its age.
  const ahead = (row) => columns.age[row] !== null && columns.age[row] < -data.tolerance;
  const old = (row) => (ahead(row) ? null : columns.age[row]);
  const share = (row) => (old(row) === null || !columns.rpo[row] ? null : Math.max(old(row), 0) / columns.rpo[row]);
  const point = (row) =>
    columns.age[row] === null || gateway(row)[4] === null ? null : gateway(row)[4] - columns.age[row];
  // Nobody could ask a failed gateway: its volumes may well have recovery points, and an RPO.
  const pointless = (row) => (status(row) === "no_recovery_point" ? "none" : "not known");
  const boundless = (row) => (status(row) === "unknown" ? "not known" : "none");
  const scaled = (name) => (row) => (columns[name][row] === null ? null : columns[name][row] * MIB);
  const from = (list, name) => (row) => (columns[name][row] === null ? "" : list[columns[name][row]]);
  const percent = (value) => (value === null ? "" : `${number(Math.round(value * 100))} %`);
  const rank = (row) => order.indexOf(status(row)) + (columns.waived[row] === null ? 0 : order.length);
  return [
    { title: "Verdict", value: rank, shown: (row) => `${data.signs[status(row)]} ${words(status(row))}`,
      style: (row) => `verdict ${status(row)}` },
    { title: "Volume", value: (row) => columns.id[row], shown: (row) => `vol-${columns.id[row]}`,
      style: () => "id" },
    { title: "Age", value: old, numeric: true,
      shown: (row) => (columns.age[row] === null ? pointless(row) : age(columns.age[row])) },
    { title: "RPO", value: (row) => columns.rpo[row], numeric: true,
      shown: (row) => (columns.rpo[row] === null ? boundless(row) : age(columns.rpo[row])) },
    { title: "Of RPO", value: share, numeric: true,
      shown: (row) => (ahead(row) ? "in the future" : percent(share(row))) },
    { title: "Gateway", value: (row) => gateway(row)[1] || gateway(row)[0], sought: (row) => gateway(row)[0] },
    { title: "Account", value: (row) => `${account(row)[1]} ${account(row)[0]}`.trim(),
      sought: (row) => account(row)[2] },
    { title: "Region", value: (row) => regions[gateway(row)[3]], style: () => "place" },
    { title: "Size", value: scaled("size"), shown: (row) => size(scaled("size")(row)), numeric: true },
    { title: "Used", value: scaled("used"), shown: (row) => size(scaled("used")(row)), numeric: true },
    { title: "Recovery point", value: point, numeric: true,
      shown: (row) => (point(row) === null ? pointless(row) : minute(point(row))) },
    { title: "Rule", value: from(rules, "rule") },
    ...(waivers.length ? [{ title: "Waived", value: from(waivers, "waived") }] : []),
  ].map((column) => ({ shown: column.value, style: (row) => (column.numeric ? "n" : ""), ...column }));
}

function table(data) {
  const columns = columnsOf(data);
  const { status } = data.volumes.columns;
  const every = Uint32Array.from(status, (_, row) => row);
  const collator = new Intl.Collator("en", { numeric: true });
  const titled = (title) => columns.findIndex((column) => column.title === title);
  const searched = ["Volume", "Gateway", "Account", "Region", "Rule", "Waived"].map(titled)
    .filter((place) => place >= 0).flatMap((place) => [columns[place].shown, columns[place].sought ?? []].flat());
  const state = { column: 0, down: false, page: 0, rows: every };
  let haystacks = null;

  function keys(column) {
    // Text is compared once for each different text, not once for each pair of rows.
    const values = Array.from(status, (_, row) => column.value(row));
    if (column.numeric || typeof values[0] === "number") return values;
    const order = [...new Set(values)].sort(collator.compare);
    const ranks = new Map(order.map((value, place) => [value, value === "" ? null : place]));
    return values.map((value) => ranks.get(value));
  }

  function sorted() {
    const values = keys(columns[state.column]);
    const shares = state.column === 0 ? keys(columns[titled("Of RPO")]) : null;
    const sign = state.down ? -1 : 1;
    every.sort((one, other) => {
      const a = values[one], b = values[other];
      // What is not known comes last, whichever way the rest is sorted.
      if (a !== b) return a === null ? 1 : b === null ? -1 : sign * (a - b);
      return (shares ? sign * ((shares[other] ?? -1) - (shares[one] ?? -1)) : 0) || one - other;
    });
  }

  function filtered() {
    const terms = at("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = data.statuses.indexOf(at("verdict").value);
    if (terms.length && !haystacks) {
      haystacks = Array.from(status, (_, row) => searched.map((text) => text(row)).join("\n").toLowerCase());
    }
    state.rows = every.filter((row) =>
      (wanted < 0 || status[row] === wanted) && terms.every((term) => haystacks[row].includes(term)));
    state.page = 0;
  }

  function cell(column, row) {
    const box = document.createElement(column.title === "Volume" ? "th" : "td");
    if (box.tagName === "TH") box.scope = "row";
    box.className = column.style(row);
    if (column.sought?.(row)) box.title = column.sought(row);
    const text = document.createElement("bdi");
    text.textContent = column.shown(row);
    box.append(text);
    return box;
  }

  function drawn() {
    const { rows, page } = state;
    const pages = Math.max(1, Math.ceil(rows.length / PAGE));
    const lines = Array.from(rows.subarray(page * PAGE, (page + 1) * PAGE), (row) => {
      const line = document.createElement("tr");
      line.append(...columns.map((column) => cell(column, row)));
      return line;
    });
    at("table").tBodies[0].replaceChildren(...lines);
    at("count").textContent = `${number(rows.length)} of ${number(every.length)} volumes`;
    at("page").textContent = `Page ${number(page + 1)} of ${number(pages)}`;
    at("previous").disabled = page === 0;
    at("next").disabled = page + 1 >= pages;
    columns.forEach((column, place) => {
      const way = place !== state.column ? "none" : state.down ? "descending" : "ascending";
      column.head.setAttribute("aria-sort", way);
    });
    at("order").value = `${state.column} ${Number(state.down)}`;
  }

  function sortBy(column, down) {
    Object.assign(state, { column, down });
    sorted();
    filtered();
    drawn();
  }

  function turn(step) {
    state.page += step;
    drawn();
    at("volumes").scrollIntoView();
  }

  columns.forEach((column, place) => {
    column.head = document.createElement("th");
    column.head.scope = "col";
    // On paper the style sheet shows this in the button's place, which would stand on the first sheet only.
    column.head.dataset.title = column.title;
    if (column.numeric) column.head.className = "n";
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = column.title;
    button.addEventListener("click", () => sortBy(place, place === state.column && !state.down));
    column.head.append(button);
    at("table").tHead.rows[0].append(column.head);
    for (const down of [0, 1]) {
      const option = new Option(`${column.title} ${down ? "↓" : "↑"}`, `${place} ${down}`);
      at("order").append(option);
    }
  });
  at("order").addEventListener("change", (event) => sortBy(...event.target.value.split(" ").map(Number)));
  for (const [id, kind] of [["filter", "input"], ["verdict", "change"]]) {
    at(id).addEventListener(kind, () => { filtered(); drawn(); });
  }
  at("controls").addEventListener("submit", (event) => event.preventDefault());
  at("previous").addEventListener("click", () => turn(-1));
  at("next").addEventListener("click", () => turn(1));
  for (const id of ["controls", "table-box", "pages"]) at(id).hidden = false;
  at("needs-script").hidden = true;
  sortBy(0, false);
}
