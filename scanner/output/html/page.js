"use strict";
(() => {
  const PAGE = 100;
  const PAPER = 980; // what fits on a landscape page of A4 or Letter
  const SIGNS = { ok: "✓", at_risk: "▲", breach: "✖", no_recovery_point: "⊘", unrated: "–", unknown: "?" };
  const PATTERNS = { ok: "", at_risk: "/", breach: "x", no_recovery_point: "+", unrated: ".", unknown: "-" };
  const WORST = ["no_recovery_point", "breach", "unknown", "at_risk", "unrated", "ok"];
  const MIB = 1048576;
  const at = (id) => document.getElementById(id);
  const number = new Intl.NumberFormat("en").format;
  const words = (status) => status.replaceAll("_", " ");

  async function inflated(id) {
    const box = at(id);
    const bytes = Uint8Array.from(atob(box.textContent), (letter) => letter.charCodeAt(0));
    box.remove();
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  }

  function size(bytes) {
    if (bytes === null) return "not known";
    const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let unit = 0;
    for (; bytes >= 1024 && unit < units.length - 1; unit++) bytes /= 1024;
    return `${unit && bytes < 1000 ? Number(bytes.toPrecision(3)) : Math.round(bytes)} ${units[unit]}`;
  }

  function age(seconds) {
    if (seconds === null) return "none";
    let left = Math.abs(seconds);
    const parts = [];
    for (const [length, unit] of [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]]) {
      const count = Math.floor(left / length);
      left -= count * length;
      if (count || parts.length) parts.push([count, unit]);
    }
    const shown = parts.slice(0, 2).filter(([count]) => count).map((part) => part.join("")).join(" ") || "0s";
    return shown + (seconds < 0 && parts.length ? " ahead" : "");
  }

  // ---- the table of all volumes ----

  function columnsOf(data) {
    const { columns, gateways, accounts, regions, rules, waivers } = data.volumes;
    const gateway = (row) => gateways[columns.gateway[row]];
    const account = (row) => accounts[gateway(row)[2]];
    const status = (row) => data.statuses[columns.status[row]];
    const share = (row) =>
      columns.age[row] === null || !columns.rpo[row] ? null : columns.age[row] / columns.rpo[row];
    const point = (row) =>
      columns.age[row] === null || gateway(row)[4] === null ? null : gateway(row)[4] - columns.age[row];
    const scaled = (name) => (row) => (columns[name][row] === null ? null : columns[name][row] * MIB);
    const from = (list, name) => (row) => (columns[name][row] === null ? "" : list[columns[name][row]]);
    const minute = (seconds) =>
      seconds === null ? "none" : new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ") + "Z";
    const percent = (value) => (value === null ? "" : `${number(Math.round(value * 100))} %`);
    const rank = (row) => WORST.indexOf(status(row)) + (columns.waived[row] === null ? 0 : WORST.length);
    return [
      { title: "Verdict", value: rank, shown: (row) => `${SIGNS[status(row)]} ${words(status(row))}`,
        style: (row) => `verdict ${status(row)}` },
      { title: "Volume", value: (row) => columns.id[row], shown: (row) => `vol-${columns.id[row]}`,
        style: () => "id" },
      { title: "Gateway", value: (row) => gateway(row)[1] || gateway(row)[0] },
      { title: "Account", value: (row) => `${account(row)[1]} ${account(row)[0]}`.trim() },
      { title: "Region", value: (row) => regions[gateway(row)[3]], style: () => "place" },
      { title: "Age", value: (row) => columns.age[row], shown: (row) => age(columns.age[row]), numeric: true },
      { title: "RPO", value: (row) => columns.rpo[row], shown: (row) => age(columns.rpo[row]), numeric: true },
      { title: "Of RPO", value: share, shown: (row) => percent(share(row)), numeric: true },
      { title: "Size", value: scaled("size"), shown: (row) => size(scaled("size")(row)), numeric: true },
      { title: "Used", value: scaled("used"), shown: (row) => size(scaled("used")(row)), numeric: true },
      { title: "Recovery point", value: point, shown: (row) => minute(point(row)), numeric: true },
      { title: "Rule", value: from(rules, "rule") },
      ...(waivers.length ? [{ title: "Waived", value: from(waivers, "waived") }] : []),
    ].map((column) => ({ shown: column.value, style: (row) => (column.numeric ? "n" : ""), ...column }));
  }

  function table(data) {
    const columns = columnsOf(data);
    const { status } = data.volumes.columns;
    const every = Uint32Array.from(status, (_, row) => row);
    const collator = new Intl.Collator("en", { numeric: true });
    const searched = ["Volume", "Gateway", "Account", "Region", "Rule", "Waived"].flatMap((title) =>
      columns.filter((column) => column.title === title));
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
      const shares = state.column === 0 ? keys(columns[7]) : null;
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
        haystacks = Array.from(status, (_, row) =>
          searched.map((column) => column.shown(row)).join("\n").toLowerCase());
      }
      state.rows = every.filter((row) =>
        (wanted < 0 || status[row] === wanted) && terms.every((term) => haystacks[row].includes(term)));
      state.page = 0;
    }

    function cell(column, row) {
      const box = document.createElement(column.title === "Volume" ? "th" : "td");
      if (box.tagName === "TH") box.scope = "row";
      box.className = column.style(row);
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

  // ---- the charts ----

  // Plotly reads a little HTML in its texts: account names must not be able to write any.
  const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const cut = (text, most) => {
    const letters = Array.from(text);
    // Isolated, a name written from right to left does not reorder what stands beside it.
    return `\u2068${plain(letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : text)}\u2069`;
  };
  const label = ([id, name]) => (name ? `${cut(name, 60)} (${id})` : id);

  function charts({ heat, ages, capacity }) {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    const axis = { gridcolor: colour("line"), linecolor: colour("line"), zerolinecolor: colour("line"),
      automargin: true, fixedrange: true };
    const layout = (more) => ({ paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: colour("text"), family: getComputedStyle(document.body).fontFamily, size: 13 },
      margin: { l: 8, r: 8, t: 8, b: 8 }, dragmode: false, legend: { orientation: "h", x: 0, y: 1, yanchor: "bottom" }, ...more });
    // Without overlay the pattern's gaps would show the page instead of the bar's colour.
    const pattern = (shape) => ({ shape, fillmode: "overlay", fgcolor: colour("page"), size: 8, solidity: 0.2 });
    const rows = (count) => 90 + 28 * Math.max(count, 2);
    const text = (cell) => (cell === null ? "" : `${number(cell[1])} / ${number(cell[0])}${cell[2] ? "" : " *"}`);
    const paper = window.matchMedia("print").matches;
    const width = paper ? PAPER : at("heat").clientWidth;
    const narrow = width < 600;
    // Plotly's own resizing forgets a chart's height, so each drawing says how large it is.
    const draw = (id, traces, more) =>
      Plotly.react(id, traces, layout({ width, ...more }), { displayModeBar: false });
    const accountAxis = (accounts) => ({ ...axis, autorange: "reversed", tickvals: accounts.map((_, n) => n),
      ticktext: accounts.map(([id, name]) =>
        (!name ? id : narrow ? cut(name, 12) : `${cut(name, 24)} (${id})`)) });
    const numbers = (list) => list.map((_, n) => n);

    draw("heat", [{
      type: "heatmap", x: heat.regions.map(plain), y: numbers(heat.accounts), xgap: 2, ygap: 2,
      z: heat.cells.map((row) => row.map((cell) =>
        cell === null ? null : cell[0] ? cell[1] / cell[0] : cell[2] ? 0 : -0.25)),
      text: heat.cells.map((row) => row.map(text)), texttemplate: narrow ? "" : "%{text}",
      textfont: { color: colour("text") },
      customdata: heat.cells.map((row, n) => row.map(() => label(heat.accounts[n]))),
      hovertemplate: "%{customdata}<br>%{x}<br>%{text} volumes in breach<extra></extra>", hoverongaps: false,
      zmin: -0.25, zmax: 1, showscale: false,
      colorscale: [[0, colour("unread")], [0.19, colour("unread")], [0.2, colour("cold")], [1, colour("hot")]],
    }], { height: rows(heat.accounts.length), yaxis: accountAxis(heat.accounts),
      xaxis: { ...axis, side: "top", type: "category" } });

    draw("ages-chart", WORST.filter((status) => ages.counts[status]).map((status) => ({
      type: "bar", name: `${SIGNS[status]} ${words(status)}`, x: ages.bars, y: ages.counts[status],
      marker: { color: colour(status), pattern: pattern(PATTERNS[status]) },
      hovertemplate: "%{x} of the RPO: %{y:,} volumes<extra>%{fullData.name}</extra>",
    })), { height: 360, barmode: "stack", bargap: 0.1, showlegend: true,
      xaxis: { ...axis, type: "category" }, yaxis: { ...axis, title: { text: "volumes" }, rangemode: "tozero" } });

    const largest = Math.max(...capacity.size, 1);
    const unit = Math.min(Math.floor(Math.log2(largest) / 10), 6);
    const bars = (name, values, more) => ({ type: "bar", orientation: "h", name, y: numbers(values),
      x: values.map((value) => value / 1024 ** unit), text: values.map(size), textposition: "none",
      customdata: capacity.accounts.map(label), hovertemplate: "%{customdata}<br>%{text}<extra>%{fullData.name}</extra>", ...more });
    draw("capacity-chart", [
      bars("size", capacity.size, { marker: { color: colour("bar") } }),
      bars("used", capacity.used, { marker: { color: colour("bar-two"), pattern: pattern("/") } }),
    ], { height: rows(capacity.accounts.length) + 40, barmode: "group", showlegend: true,
      yaxis: accountAxis(capacity.accounts),
      xaxis: { ...axis, title: { text: ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"][unit] } } });
  }

  async function start() {
    const data = JSON.parse(await inflated("data"));
    table(data);
    const library = document.createElement("script");
    library.textContent = await inflated("chart-library");
    document.head.append(library);
    const draw = () => charts(data.charts);
    draw();
    for (const query of ["(prefers-color-scheme: dark)", "print"]) {
      window.matchMedia(query).addEventListener("change", draw);
    }
    let drawn = at("heat").clientWidth;
    new ResizeObserver(() => {
      if (at("heat").clientWidth === drawn) return;
      drawn = at("heat").clientWidth;
      draw();
    }).observe(at("heat"));
    document.documentElement.dataset.ready = "true";
  }

  if ("DecompressionStream" in window) start();
})();
