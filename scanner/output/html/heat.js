// The heat map has the worst accounts; here are the others, when they are asked for.
function heat(volumes) {
  const { data, columns } = volumes;
  const note = at("heat-more");
  if (!note) return;
  const button = made("button", `Show all ${number(data.accounts.length)} accounts`, { type: "button" });
  note.append(" ", button);
  button.addEventListener("click", () => {
    const order = Object.keys(data.signs);
    const cells = new Map(data.targets.map(([account, region, read]) => [`${account} ${region}`, { read, counts: {}, all: 0 }]));
    for (let row = 0; row < volumes.count; row++) {
      const [, , account, region] = volumes.gateway(row);
      const cell = cells.get(`${account} ${region}`), state = volumes.state(row);
      if (!cell || state === "not_read") continue;
      cell.all++;
      cell.counts[state] = (cell.counts[state] ?? 0) + 1;
    }
    const body = at("heat").tBodies[0];
    const first = body.rows.length;
    const lines = data.accounts.slice(first).map(([id, name], place) => {
      const line = made("tr"), head = made("th");
      head.scope = "row";
      if (name) head.append(made("bdi", name), " ");
      head.append(made("span", id, { className: "id" }));
      line.append(head);
      for (let region = 0; region < data.shown; region++) line.append(boxOf(cells.get(`${first + place} ${region}`), id, region));
      return line;
    });
    body.append(...lines);
    note.textContent = `All ${number(data.accounts.length)} accounts.`;
    lines[0]?.querySelector("a")?.focus();

    function boxOf(cell, account, region) {
      const box = made("td");
      if (!cell) return box;
      if (!cell.all) {
        box.className = cell.read ? "empty" : "not_read";
        box.textContent = cell.read ? "0" : `${data.signs.not_read} not read`;
        return box;
      }
      const states = order.filter((state) => cell.counts[state]);
      const [worst] = states;
      const bad = (cell.counts.breach ?? 0) + (cell.counts.no_recovery_point ?? 0) || cell.counts[worst];
      box.className = !cell.read && ["ok", "unrated", "waived"].includes(worst) ? "not_read" : worst;
      const link = made("a", undefined, { href: address({ account, region: data.regions[region] }) });
      link.title = states.map((state) => `${number(cell.counts[state])} ${words(state)}`).join(", ") +
        (cell.read ? "" : "; not read completely");
      const sign = made("span", data.signs[worst]);
      sign.setAttribute("aria-hidden", "true");
      link.append(sign, made("span", words(worst), { className: "unseen" }),
        ` ${number(bad)}${bad < cell.all ? `/${number(cell.all)}` : ""}`);
      if (!cell.read) link.append(made("span", ` ${data.signs.not_read}`), made("span", " not read completely", { className: "unseen" }));
      box.append(link);
      return box;
    }
  });
}
