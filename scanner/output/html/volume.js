// One volume: all that is known of it, and what one does next. And the rows as CSV.
const CONSOLES = {
  aws: (region) => `https://${region}.console.aws.amazon.com`,
  "aws-us-gov": () => "https://console.amazonaws-us-gov.com",
  "aws-cn": () => "https://console.amazonaws.cn",
};

function consoleOf(arn) {
  const [, partition, , region] = arn.split(":");
  if (!Object.hasOwn(CONSOLES, partition) || !/^[a-z0-9-]+$/.test(region)) return null;
  const id = arn.slice(arn.lastIndexOf("/") + 1);
  return `${CONSOLES[partition](region)}/storagegateway/home?region=${region}#/volumes/${encodeURIComponent(id)}`;
}

function inspector(volumes, closed) {
  const box = at("volume");
  const texts = {};
  let rows = null;

  function fact(name, text) {
    const value = made("dd");
    value.append(made("bdi", text));
    at("volume-facts").append(made("dt", name), value);
  }

  function show(arn) {
    rows ??= new Map(Array.from({ length: volumes.count }, (_, row) => [volumes.arn(row), row]));
    const row = rows.get(arn);
    if (row === undefined) return;
    texts.arn = arn;
    texts.command = `sgw-scanner explain ${arn} inventory.json`;
    at("volume-title").replaceChildren(made("bdi", volumes.id(row)), ": ", words(volumes.status(row)));
    at("volume-facts").replaceChildren();
    fact("ARN", arn);
    const gateway = volumes.gateway(row)[0];
    for (const column of volumes.list) {
      if (["verdict", "volume"].includes(column.key) || !column.shown(row)) continue;
      fact(column.title, column.shown(row) + (column.key === "gateway" && gateway && gateway !== column.shown(row) ? ` ${gateway}` : ""));
    }
    if (volumes.held(row)) fact("Gateway's tags", volumes.held(row));
    if (volumes.carried(row)) fact("Last known", "from an earlier scan: nobody could be asked in this one");
    fact("Why", texts.command);
    const link = consoleOf(arn);
    at("console").hidden = link === null;
    if (link !== null) at("console").href = link;
    at("copied").textContent = "";
    if (!box.open) box.showModal();
  }

  async function copy(what) {
    try {
      await navigator.clipboard.writeText(texts[what]);
      at("copied").textContent = "Copied.";
    } catch (refused) {
      // A page opened from a file may not write to the clipboard: what is selected can be copied by hand.
      const place = [...at("volume-facts").querySelectorAll("bdi")].find((one) => one.textContent === texts[what]);
      getSelection().selectAllChildren(place);
      at("copied").textContent = document.execCommand("copy") ? "Copied." : "Selected: copy it with the keyboard.";
    }
  }

  box.addEventListener("close", closed);
  at("close").addEventListener("click", () => box.close());
  for (const button of box.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", () => copy(button.dataset.copy));
  }
  return { show, hide: () => box.open && box.close() };
}

// As the scanner's own CSV: no spreadsheet takes a cell for a formula, whatever it splits at.
const ACTIVE = "=+@'\"＝＋－＠\\-";
const GUARDED = new RegExp(`^(?=[\\t\\r\\n${ACTIVE}])|(?<=[;\\t\\r\\n])(?=[${ACTIVE}])`, "g");

function csvCell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = value.replace(GUARDED, "'");
  return text === "" || /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function csvOf(volumes, rows) {
  const { columns, data } = volumes;
  const from = (list, name) => (row) => (columns[name][row] === null ? null : list[columns[name][row]]);
  const fields = {
    account_id: (row) => volumes.account(row)[0],
    account_name: (row) => volumes.account(row)[1] || null,
    region: (row) => data.regions[volumes.gateway(row)[3]],
    gateway_id: (row) => volumes.gateway(row)[0],
    gateway_name: (row) => volumes.gateway(row)[1] || null,
    volume_arn: volumes.arn,
    volume_id: volumes.id,
    verdict: volumes.status,
    age_seconds: (row) => columns.age[row],
    at_most_age_seconds: (row) => columns.most[row],
    rpo_seconds: (row) => columns.rpo[row],
    recovery_point_time: (row) => (volumes.point(row) === null ? null : stamp(volumes.point(row))),
    size_mebibytes: (row) => columns.size[row],
    usage_mebibytes: (row) => columns.used[row],
    rule: from(data.rules, "rule"),
    waived: from(data.waivers, "waived"),
    attachment_status: from(data.attached, "attached"),
    tags: (row) => {
      const tags = from(data.tags, "tags")(row);
      return tags && JSON.stringify(Object.fromEntries(tags)).replaceAll(";", "\\u003b");
    },
    ou_path: (row) => volumes.account(row)[2] || null,
  };
  const lines = [Object.keys(fields).join(",")];
  for (const row of rows) lines.push(Object.values(fields).map((value) => csvCell(value(row))).join(","));
  return lines.join("\r\n") + "\r\n";
}

function save(volumes, rows) {
  const href = URL.createObjectURL(new Blob([csvOf(volumes, rows)], { type: "text/csv;charset=utf-8" }));
  made("a", undefined, { href, download: "volumes.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60000);
}
