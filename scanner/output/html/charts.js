// The charts.
const PAPER = { width: 980, height: 600 }; // what fits on a landscape page of A4 or Letter, below a heading
const PATTERNS = { ok: "", at_risk: "/", breach: "x", no_recovery_point: "+", unrated: ".", unknown: "-" };
const CALM = ["unrated", "ok"];
const NARROWEST = 42; // of a cell that is still read

// Plotly reads a little HTML in its texts: account names must not be able to write any.
const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const cut = (text, most) => {
  const letters = Array.from(text);
  // Isolated, a name written from right to left does not reorder what stands beside it.
  return `\u2068${plain(letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : text)}\u2069`;
};
const label = ([id, name, units]) =>
  (name ? `${cut(name, 60)} (${id})` : id) + (units ? `<br>${cut(units, 60)}` : "");

// What is said of a cell, worst first; what needs no look only where there is nothing else.
function said(states) {
  const urgent = states.filter(([state]) => !CALM.includes(state));
  return urgent.length ? urgent : states.slice(0, 1);
}

function roomy({ read, states, volumes }, signs) {
  if (!volumes) return read ? "0" : "not known *";
  const parts = said(states).map(([state, count]) => `${signs[state]} ${number(count)}`);
  const all = states.length > 1 ? ` of ${number(volumes)}` : "";
  return `${parts.join(" ")}${all}${read ? "" : " *"}`;
}

function tight({ read, states, volumes }, signs, lines) {
  if (!volumes) return read ? "0" : "*";
  const [first, ...more] = said(states).slice(0, lines).map(([state, count]) => `${signs[state]} ${short(count)}`);
  return [`${first}${read ? "" : " *"}`, ...more].join("<br>");
}

function hover({ read, states, volumes }, signs) {
  const lines = states.map(([state, count]) => `${signs[state]} ${number(count)} ${words(state)}`);
  const all = `${number(volumes)} ${volumes === 1 ? "volume" : "volumes"}`;
  return [all, ...lines, ...(read ? [] : ["* not read completely"])].join("<br>");
}

function charts({ signs, charts: { heat, ages, capacity } }, paper) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const font = { color: colour("text"), family: getComputedStyle(document.body).fontFamily, size: 13 };
  const axis = { gridcolor: colour("line"), linecolor: colour("line"), zerolinecolor: colour("line"),
    automargin: true, fixedrange: true };
  const layout = (more) => ({ paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font,
    margin: { l: 8, r: 8, t: 8, b: 8 }, dragmode: false, legend: { orientation: "h", x: 0, y: 1, yanchor: "bottom" }, ...more });
  // Without overlay the pattern's gaps would show the page instead of the bar's colour.
  const pattern = (shape) => ({ shape, fillmode: "overlay", fgcolor: colour("page"), size: 8, solidity: 0.2 });
  const width = paper ? PAPER.width : at("heat-box").clientWidth;
  const narrow = width < 600;
  // A chart that is higher than a page would be cut, however it is placed.
  const rowHeight = (wanted, count, beside) =>
    paper ? Math.min(wanted, (PAPER.height - beside) / Math.max(count, 1)) : wanted;
  // Plotly's own resizing forgets a chart's height, so each drawing says how large it is.
  const draw = (id, traces, more) =>
    Plotly.react(id, traces, layout({ width, ...more }), { displayModeBar: false });
  const named = ([id, name]) => (!name ? id : narrow ? cut(name, 12) : `${cut(name, 24)} (${id})`);
  const accountAxis = (accounts, height) => ({ ...axis, autorange: "reversed", tickvals: numbers(accounts),
    ticktext: accounts.map(named), tickfont: { size: Math.min(font.size, Math.floor(height * 0.8)) } });
  const numbers = (list) => list.map((_, n) => n);

  function drawHeat() {
    const order = Object.keys(signs);
    const cells = heat.cells.map((row) => row.map((cell) => cell && { read: cell[0],
      states: cell[1].map(([state, count]) => [order[state], count]),
      volumes: cell[1].reduce((sum, [, count]) => sum + count, 0) }));
    const each = (what) => cells.map((row) => row.map((cell) => (cell ? what(cell) : null)));
    // Of a cell that was not read completely nobody can say that all is well.
    const shades = [...order, "none", "unread"];
    const shade = ({ read, states }) => {
      const worst = states.length ? states[0][0] : "none";
      return shades.indexOf(!read && ["none", "waived", ...CALM].includes(worst) ? "unread" : worst);
    };
    const ruler = document.createElement("canvas").getContext("2d");
    ruler.font = `${font.size}px ${font.family}`;
    const beside = 30 + Math.max(0, ...heat.accounts.map((one) => ruler.measureText(named(one)).width));
    const columns = Math.max(heat.regions.length, 1);
    const whole = paper ? width : Math.max(width, beside + NARROWEST * columns);
    const room = (whole - beside) / columns;
    const wide = room >= 130;
    const height = rowHeight(wide ? 28 : 34, cells.length, 110);
    const lines = wide || height < 26 ? 1 : 2;
    const texts = each((cell) => (wide ? roomy(cell, signs) : tight(cell, signs, lines)));
    const longest = Math.max(1, ...texts.flat().flatMap((text) => (text ?? "").split("<br>")).map((line) => line.length));
    const letters = Math.min(font.size, (room - 4) / longest / 0.6, (height - 4) / lines / 1.25);
    draw("heat", [{
      type: "heatmap", x: heat.regions.map(plain), y: numbers(heat.accounts), xgap: 2, ygap: 2,
      z: each(shade), text: texts.map((row) => row.map((text) => text ?? "")), texttemplate: "%{text}",
      textfont: { color: colour("text"), size: Math.max(letters, 8) },
      customdata: cells.map((row, n) => row.map((cell) => cell && [label(heat.accounts[n]), hover(cell, signs)])),
      hovertemplate: "%{customdata[0]}<br>%{x}: %{customdata[1]}<extra></extra>", hoverongaps: false,
      zmin: -0.5, zmax: shades.length - 0.5, showscale: false,
      colorscale: shades.flatMap((name, n) =>
        [n, n + 1].map((end) => [end / shades.length, colour(`shade-${name}`)])),
    }], { width: whole, height: 90 + height * Math.max(cells.length, 2), hoverlabel: { align: "left" },
      yaxis: accountAxis(heat.accounts, height), xaxis: { ...axis, side: "top", type: "category" } });
  }

  function drawAges() {
    const shown = Object.keys(signs).filter((status) => ages.counts[status]);
    draw("ages-chart", shown.map((status) => ({
      type: "bar", name: `${signs[status]} ${words(status)}`, x: ages.bars, y: ages.counts[status],
      marker: { color: colour(status), pattern: pattern(PATTERNS[status]) },
      hovertemplate: "%{x} of the RPO: %{y:,} volumes<extra>%{fullData.name}</extra>",
    })), { height: 360, barmode: "stack", bargap: 0.1, showlegend: true,
      xaxis: { ...axis, type: "category" }, yaxis: { ...axis, title: { text: "volumes" }, rangemode: "tozero" } });
  }

  function drawCapacity() {
    const unit = Math.min(Math.floor(Math.log2(Math.max(...capacity.size, 1)) / 10), UNITS.length - 1);
    const bars = (name, values, more) => ({ type: "bar", orientation: "h", name, y: numbers(values),
      x: values.map((value) => value / 1024 ** unit), text: values.map(size), textposition: "none",
      customdata: capacity.accounts.map(label), hovertemplate: "%{customdata}<br>%{text}<extra>%{fullData.name}</extra>", ...more });
    const height = rowHeight(28, capacity.size.length, 130);
    draw("capacity-chart", [
      bars("size", capacity.size, { marker: { color: colour("bar") } }),
      bars("used", capacity.used, { marker: { color: colour("bar-two"), pattern: pattern("/") } }),
    ], { height: 130 + height * Math.max(capacity.size.length, 2), barmode: "group", showlegend: true,
      yaxis: accountAxis(capacity.accounts, height), xaxis: { ...axis, title: { text: UNITS[unit] } } });
  }

  drawHeat();
  drawAges();
  drawCapacity();
}
