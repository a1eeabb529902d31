// The form above the table: what can be chosen in it.
function offer(form, volumes) {
  const { list, data } = volumes;
  const options = (name, pairs) => form.elements[name].append(...pairs.map(([value, text]) => new Option(text, value)));
  const byName = (one, other) => (one[1] < other[1] ? -1 : Number(one[1] > other[1]));
  options("account", data.accounts.map(([id, name]) => [id, name ? `${name} ${id}` : id]).sort(byName));
  const units = new Set(data.accounts.flatMap(([, , path]) =>
    path.split("/").map((_, depth, parts) => parts.slice(0, depth + 1).join("/"))).filter(Boolean));
  options("ou", [...units].sort().map((unit) => [unit, unit]));
  form.elements.ou.parentElement.hidden = !units.size;
  form.elements.tag.parentElement.hidden = !data.tags.length;
  form.elements.waived.parentElement.hidden = !data.waivers.length;
  options("region", [...data.regions].sort().map((region) => [region, region]));
  options("order", list.flatMap((column) => ["", "-"].map((way) => [column.key + way, `${column.title} ${way ? "↓" : "↑"}`])));
  const counts = data.statuses.map(() => 0);
  for (const status of volumes.columns.status) counts[status]++;
  for (const state of Object.keys(data.signs).filter((one) => data.statuses.includes(one))) {
    if (state === "not_read" && !data.carried) continue;
    const label = made("label"), box = made("input", undefined, { type: "checkbox", value: state });
    const sign = made("span", data.signs[state], { className: `sign ${state}` });
    sign.setAttribute("aria-hidden", "true");
    label.append(box, sign, `${words(state)} ${number(counts[data.statuses.indexOf(state)])}`);
    at("verdicts").append(label);
  }
  for (const column of list.filter((one) => one.key !== "volume")) {
    const label = made("label"), box = made("input", undefined, { type: "checkbox", value: column.key });
    label.append(box, column.title);
    at("columns").querySelector("div").append(label);
  }
}
