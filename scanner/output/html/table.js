// The table of all volumes: filters, order, pages, columns, and what of it goes to paper or to a CSV.
const PAGE = 100;

function table(volumes) {
  const { list, columns, data } = volumes;
  const form = at("filters");
  let wish = asked(), rows = [], sorted = null, sortedBy = null, shown = [];

  const order = () => {
    const [, key, way] = /^([a-z]+)(-?)$/.exec(wish.sort ?? "") ?? [null, "verdict", ""];
    return [list.some((column) => column.key === key) ? key : "verdict", way === "-"];
  };
  const last = () => Math.max(1, Math.ceil(rows.length / PAGE));
  const page = () => Math.min(last(), Math.max(1, Math.floor(Number(wish.page)) || 1));
  const usual = list.filter((column) => !column.off).map((column) => column.key);
  const chosen = () => {
    const keys = wish.columns ? wish.columns.split(",") : usual;
    return list.filter((column) => keys.includes(column.key) || column.key === "volume");
  };

  function change(changes, typed = false) {
    wish = { ...wish, page: "", volume: "", ...changes };
    ask(wish, typed);
    refresh();
  }

  function refresh() {
    const [key, down] = order();
    if (sortedBy !== `${key}${down}`) {
      sorted = volumes.ordered(key, down);
      sortedBy = `${key}${down}`;
    }
    const matches = volumes.matcher(wish);
    rows = sorted.filter(matches);
    draw();
    fill();
  }

  function cell(column, row) {
    const text = column.shown(row), hint = column.hint(row);
    const box = made(column.key === "volume" ? "th" : "td");
    box.setAttribute("role", column.key === "volume" ? "rowheader" : "cell");
    if (column.key === "volume") box.scope = "row";
    box.dataset.title = column.title;
    box.className = [column.numeric ? "n" : "", column.style ?? "", text ? "" : "blank", volumes.carried(row) &&
      ["age", "share", "point"].includes(column.key) ? "carried" : ""].filter(Boolean).join(" ");
    if (hint && (hint !== text || text.length > 24)) box.title = hint;
    if (column.key === "verdict") {
      const state = volumes.state(row);
      const sign = made("span", data.signs[state], { className: `sign ${state}` });
      sign.setAttribute("aria-hidden", "true");
      box.append(sign, " ");
    }
    const inner = made("bdi", text);
    if (column.key === "volume") {
      const link = made("a", undefined, { href: address({ ...wish, volume: volumes.arn(row) }) });
      link.append(inner);
      box.append(link);
    } else box.append(inner);
    return box;
  }

  function lines(which) {
    return Array.from(which, (row) => {
      const line = made("tr");
      line.setAttribute("role", "row");
      line.append(...shown.map((column) => cell(column, row)));
      return line;
    });
  }

  const onPage = () => rows.subarray((page() - 1) * PAGE, page() * PAGE);

  function draw() {
    const now = chosen();
    if (now.length !== shown.length || now.some((column, place) => column !== shown[place])) head(now);
    const [key, down] = order(), first = (page() - 1) * PAGE;
    at("table").tBodies[0].replaceChildren(...lines(onPage()));
    const all = volumes.count - data.carried;
    const many = rows.length === volumes.count ? `${plural(all, "volume")}` : `${number(rows.length)} of ${plural(all, "volume")}`;
    const also = data.carried ? `, and ${number(data.carried)} that only earlier scans know` : "";
    at("count").textContent = `${many}${rows.length === volumes.count ? also : ""}` +
      (rows.length > PAGE ? `; page ${number(page())} of ${number(last())}, rows ${number(first + 1)} to ${number(Math.min(first + PAGE, rows.length))}` : "");
    at("page").textContent = `Page ${number(page())} of ${number(last())}`;
    // A button that is switched off would lose the keyboard's focus.
    at("previous").setAttribute("aria-disabled", String(page() <= 1));
    at("next").setAttribute("aria-disabled", String(page() >= last()));
    at("pages").hidden = last() === 1;
    at("nothing").hidden = rows.length > 0;
    at("nothing").textContent = volumes.count ? "Nothing matches these filters." : "There are no volumes.";
    at("table").hidden = !rows.length;
    for (const column of shown) {
      column.head.setAttribute("aria-sort", column.key !== key ? "none" : down ? "descending" : "ascending");
    }
  }

  function head(now) {
    const focused = shown.find((column) => column.head.contains(document.activeElement));
    shown = now;
    const heads = shown.map((column) => {
      column.head ??= headOf(column);
      return column.head;
    });
    at("table").tHead.rows[0].replaceChildren(...heads);
    focused?.head.querySelector("button").focus();
  }

  function headOf(column) {
    const box = made("th");
    box.scope = "col";
    box.setAttribute("role", "columnheader");
    // On paper the style sheet shows this in the button's place, which would stand on the first sheet only.
    box.dataset.title = column.title;
    if (column.numeric) box.className = "n";
    const button = made("button", column.title, { type: "button" });
    button.addEventListener("click", () => {
      const [key, down] = order();
      // The oldest, the largest and the newest first; what is text from its beginning.
      change({ sort: column.key + ((column.key === key ? !down : column.numeric) ? "-" : "") });
    });
    box.append(button);
    return box;
  }

  // The form shows what the address asks for, also what no volume has.
  function fill() {
    for (const field of form.querySelectorAll("input[name], select[name]")) {
      if (field.type === "checkbox" || field.name === "order") continue;
      const value = wish[field.name] ?? "";
      if (field.tagName === "SELECT" && ![...field.options].some((option) => option.value === value)) {
        field.append(new Option(value, value));
      }
      if (field.value !== value) field.value = value;
    }
    const verdicts = (wish.verdict ?? "").split(",");
    for (const box of at("verdicts").querySelectorAll("input")) box.checked = verdicts.includes(box.value);
    const [key, down] = order();
    form.elements.order.value = `${key}${down ? "-" : ""}`;
    for (const box of at("columns").querySelectorAll("input")) box.checked = shown.some((one) => one.key === box.value);
    at("share").hidden = !wish.share;
    const bounds = (wish.share ?? "").split("~").map((part) => (part ? `${number(Number(part) * 100)} %` : ""));
    at("share").textContent = `Age ${bounds[0] ? `over ${bounds[0]}` : ""}${bounds[0] && bounds[1] ? ", " : ""}${bounds[1] ? `up to ${bounds[1]}` : ""} of RPO ✕`;
    at("clear").hidden = !WISHES.some((name) => wish[name]);
  }

  function turn(step) {
    const to = page() + step;
    if (to < 1 || to > last()) return;
    change({ page: String(to) });
    at("table-box").scrollTop = 0;
    if (at("table-box").getBoundingClientRect().top < 0) at("volumes").scrollIntoView();
  }

  offer(form, volumes);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", ({ target }) => {
    if (target.type === "checkbox") {
      const ticked = [...at("verdicts").querySelectorAll("input:checked")].map((box) => box.value);
      change({ verdict: ticked.join(",") });
    } else if (target.name === "order") change({ sort: target.value });
    else if (target.tagName === "SELECT") change({ [target.name]: target.value });
    else {
      change({ [target.name]: target.value }, true);
    }
  });
  at("columns").addEventListener("change", () => {
    const ticked = [...at("columns").querySelectorAll("input:checked")].map((box) => box.value);
    change({ columns: ticked.length ? ticked.join(",") : "volume", page: wish.page });
  });
  at("clear").addEventListener("click", () => {
    change(Object.fromEntries(WISHES.map((name) => [name, ""])));
    form.elements.q.focus();
  });
  at("share").addEventListener("click", () => {
    change({ share: "" });
    form.elements.q.focus();
  });
  at("previous").addEventListener("click", () => turn(-1));
  at("next").addEventListener("click", () => turn(1));
  at("csv").addEventListener("click", () => save(volumes, rows));

  // On paper stands what was chosen; afterwards the page is as it was.
  const paper = { page: onPage, rows: () => rows, all: () => volumes.ordered(...order()), none: () => [] };
  window.addEventListener("beforeprint", () => {
    const choice = at("paper").value;
    at("live").classList.toggle("unprinted", choice === "none");
    if (choice !== "page") at("table").tBodies[0].replaceChildren(...lines(paper[choice]()));
  });
  window.addEventListener("afterprint", draw);

  at("static").hidden = true;
  at("live").hidden = false;
  refresh();
  return {
    follow() {
      const before = wish;
      clearTimeout(typing);
      wish = asked();
      // A volume is looked at: the table stays, and with it the keyboard's place in it.
      if (address({ ...before, volume: "" }) !== address({ ...wish, volume: "" })) refresh();
      return wish;
    },
    close() {
      wish = { ...wish, volume: "" };
      ask(wish);
    },
    get wish() { return wish; },
  };
}
