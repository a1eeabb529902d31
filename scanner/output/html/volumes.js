// All volumes in columns: what stands in each, how they are filtered, and how they are ordered.
const NONE = "none"; // what the gateway's filter says of volumes that no gateway holds

function volumesOf(data) {
  const { columns, gateways, accounts, regions, rules, waivers, tags, statuses, arns } = data;
  const count = columns.id.length;
  const order = Object.keys(data.signs);
  const dangers = ["no_recovery_point", "breach"].map((status) => statuses.indexOf(status));
  const gateway = (row) => gateways[columns.gateway[row]];
  const account = (row) => accounts[gateway(row)[2]];
  const status = (row) => statuses[columns.status[row]];
  const carried = (row) => columns.most[row] !== null;
  // A clock that is a little off makes a point no worse; one that lies ahead says nothing of its age.
  const ahead = (row) => columns.age[row] !== null && columns.age[row] < -data.tolerance;
  const old = (row) => (ahead(row) ? null : columns.age[row]);
  const share = (row) => (old(row) === null || !columns.rpo[row] ? null : Math.max(old(row), 0) / columns.rpo[row]);
  const point = (row) => columns.point[row] ??
    (columns.age[row] === null || gateway(row)[4] === null ? null : gateway(row)[4] - columns.age[row]);
  const id = (row) => `vol-${columns.id[row]}`;
  const arn = (row) => arns[row] ?? `arn:${data.partitions[gateway(row)[5]]}:storagegateway:` +
    `${regions[gateway(row)[3]]}:${account(row)[0]}:gateway/${gateway(row)[0]}/volume/${id(row)}`;
  const detached = (row) => data.attached[columns.attached[row]] === "DETACHED";
  const waives = (row) => columns.waived[row] !== null && dangers.includes(columns.status[row]);
  const state = (row) => (waives(row) ? "waived" : status(row));
  const named = (tag) => tag.map(([name, value]) => `${name}=${value}`).join(", ");
  const taken = (list, name) => (row) => (columns[name][row] === null ? "" : list[columns[name][row]]);
  const tagged = (row) => (columns.tags[row] === null ? "" : named(tags[columns.tags[row]]));
  const held = (row) => (gateway(row)[6] === null ? "" : named(tags[gateway(row)[6]]));
  const holder = (row) => gateway(row)[1] || gateway(row)[0] || (detached(row) ? "detached" : "none");

  // Nobody could ask a failed gateway: its volumes may well have recovery points, and an RPO.
  const pointless = (row) => (status(row) === "no_recovery_point" ? "none" : "not known");
  const boundless = (row) => (["unknown", "not_read"].includes(status(row)) ? "not known" : "none");
  // In two units an age just over its RPO reads like the RPO itself.
  const over = (row) => share(row) > 1 && age(columns.age[row]) === age(columns.rpo[row]);
  const ageShown = (row) => (columns.age[row] !== null ? (over(row) ? "over " : "") + age(columns.age[row])
    : carried(row) ? `at most ${age(columns.most[row])}` : pointless(row));
  const shareShown = (row) => {
    if (ahead(row)) return "in the future";
    if (share(row) !== null) return `${number(share(row) > 1 ? Math.ceil(share(row) * 100) : Math.floor(share(row) * 100))} %`;
    if (!carried(row) || columns.within[row] === null) return "";
    return columns.within[row] ? "within" : "may be beyond";
  };
  const scaled = (name) => (row) => (columns[name][row] === null ? null : columns[name][row] * MIB);
  const list = [
    { key: "verdict", title: "Verdict", shown: (row) => words(status(row)) + (waives(row) ? ", waived" : "") },
    { key: "volume", title: "Volume", shown: id, style: "id", sort: (row) => columns.id[row], plain: true },
    { key: "age", title: "Age", value: (row) => old(row) ?? columns.most[row], shown: ageShown },
    { key: "rpo", title: "RPO", value: (row) => columns.rpo[row],
      shown: (row) => (columns.rpo[row] === null ? boundless(row) : age(columns.rpo[row])) },
    { key: "share", title: "Of RPO", value: share, shown: shareShown },
    { key: "gateway", title: "Gateway", shown: holder, hint: (row) => gateway(row)[0] ?? "" },
    { key: "account", title: "Account", shown: (row) => `${account(row)[0]} ${account(row)[1]}`.trim(),
      sort: (row) => `${account(row)[1]} ${account(row)[0]}`, hint: (row) => [...account(row)].join(" ").trim() },
    { key: "region", title: "Region", shown: (row) => regions[gateway(row)[3]] },
    { key: "point", title: "Recovery point", value: point,
      shown: (row) => (point(row) === null ? pointless(row) : minute(point(row))), off: true },
    { key: "since", title: "Needs action since", value: (row) => columns.since[row],
      shown: (row) => (columns.since[row] === null ? "" : minute(columns.since[row])), off: !data.past },
    { key: "used", title: "Used", value: scaled("used"), shown: (row) => size(scaled("used")(row)), off: true },
    { key: "size", title: "Size", value: scaled("size"), shown: (row) => size(scaled("size")(row)), off: true },
    { key: "rule", title: "Rule", shown: taken(rules, "rule") },
    { key: "waived", title: "Waived", shown: taken(waivers, "waived"), off: !waivers.length },
    { key: "attached", title: "Attachment", shown: taken(data.attached, "attached"), off: true },
    { key: "ou", title: "Unit", shown: (row) => account(row)[2], off: true },
    { key: "tags", title: "Tags", shown: tagged, off: true },
  ].map((column) => ({ hint: column.shown, numeric: "value" in column, ...column }));

  const rank = Float64Array.from({ length: count }, (_, row) => order.indexOf(state(row)));
  // The share of the RPO, or the age where there is no RPO: what orders volumes of one verdict.
  const degree = Float64Array.from({ length: count }, (_, row) => share(row) ?? old(row) ?? columns.most[row] ?? 0);
  const collator = new Intl.Collator("en", { numeric: true });
  const kept = new Map();

  // What is not known comes last, whichever way the rest is ordered.
  function keysOf(column, down) {
    const key = `${column.key} ${down}`;
    if (!kept.has(key)) kept.set(key, ranked(column, down ? -1 : 1));
    return kept.get(key);
  }

  function ranked({ value, shown, sort = shown, plain }, sign) {
    if (value) return Float64Array.from({ length: count }, (_, row) => (value(row) === null ? Infinity : sign * value(row)));
    // Text is compared once for each different text, not once for each pair of rows.
    const texts = Array.from({ length: count }, (_, row) => sort(row));
    const distinct = [...new Set(texts)];
    if (plain) distinct.sort();
    else distinct.sort(collator.compare);
    const places = new Map(distinct.map((text, place) => [text, text === "" ? Infinity : sign * place]));
    return Float64Array.from(texts, (text) => places.get(text));
  }

  const every = Uint32Array.from({ length: count }, (_, row) => row);
  every.sort((one, other) => rank[one] - rank[other] || degree[other] - degree[one] || one - other);
  const usual = Float64Array.from({ length: count });
  every.forEach((row, place) => { usual[row] = place; });

  function ordered(key, down) {
    const column = list.find((one) => one.key === key) ?? list[0];
    const sign = down ? -1 : 1;
    const rows = every.slice();
    if (column.key === "verdict") return down ? rows.reverse() : rows;
    const keys = keysOf(column, down);
    return rows.sort((one, other) => {
      const a = keys[one], b = keys[other];
      return a < b ? -1 : a > b ? 1 : usual[one] - usual[other];
    });
  }

  // Each filter is a question to a few hundred accounts, gateways or tags; only the answers are asked of each row.
  const marks = (items, test) => Uint8Array.from(items, (item, place) => (test(item, place) ? 1 : 0));
  const low = (text) => String(text ?? "").toLowerCase();
  const searched = gateways.map((of) => [of[0], of[1], accounts[of[2]].join("\n"), regions[of[3]]].map(low).join("\n"));
  let ids = null;

  function matcher(wish) {
    const tests = [];
    const verdicts = new Set((wish.verdict ?? "").split(",").filter(Boolean));
    if (verdicts.size) {
      const wanted = marks(statuses, (one) => verdicts.has(one));
      tests.push((row) => wanted[columns.status[row]]);
    }
    const asked = low(wish.gateway);
    if (wish.account || wish.region || wish.ou || asked) {
      const units = (of) => accounts[of[2]][2] === wish.ou || accounts[of[2]][2].startsWith(`${wish.ou}/`);
      const held = (of) => (asked === NONE ? of[0] === null : low(of[0]).includes(asked) || low(of[1]).includes(asked));
      const wanted = marks(gateways, (of) => (!wish.account || accounts[of[2]][0] === wish.account) &&
        (!wish.region || regions[of[3]] === wish.region) && (!wish.ou || units(of)) && (!asked || held(of)));
      tests.push((row) => wanted[columns.gateway[row]]);
    }
    if (wish.tag) {
      const [name, ...value] = wish.tag.split("=");
      const wanted = marks(tags, (set) => set.some((tag) => tag[0] === name && (!value.length || tag[1] === value.join("="))));
      tests.push((row) => wanted[columns.tags[row]] || wanted[gateway(row)[6]]);
    }
    if (wish.waived) tests.push((row) => (columns.waived[row] !== null) === (wish.waived === "yes"));
    if (wish.share) {
      const [from, to] = wish.share.split("~").map((part) => (part ? Number(part) : null));
      tests.push((row) => share(row) !== null && !["unknown", "unrated"].includes(status(row)) &&
        (from === null || share(row) > from) && (to === null || share(row) <= to));
    }
    for (const term of low(wish.q).split(/\s+/).filter(Boolean)) {
      ids ??= columns.id.map((one) => `vol-${one}`.toLowerCase());
      const held = marks(searched, (text) => text.includes(term));
      const ruled = marks(rules, (text) => low(text).includes(term));
      const excused = marks(waivers, (text) => low(text).includes(term));
      tests.push((row) => held[columns.gateway[row]] || ruled[columns.rule[row]] ||
        excused[columns.waived[row]] || ids[row].includes(term));
    }
    return (row) => {
      for (const test of tests) if (!test(row)) return false;
      return true;
    };
  }

  return { count, list, ordered, matcher, status, state, carried, detached, held, gateway, account, arn, id, point, share, columns, data };
}
