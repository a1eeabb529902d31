// What every part of the script uses, and how people read what was measured.
const MIB = 1048576;
const at = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en").format;
const words = (state) => state.replaceAll("_", " ");
const plural = (count, one) => `${number(count)} ${one}${count === 1 ? "" : "s"}`;

async function inflated(id) {
  const box = at(id);
  const letters = atob(box.textContent);
  const bytes = new Uint8Array(letters.length);
  // A call for each of millions of letters would take longer than all the rest.
  for (let place = 0; place < letters.length; place++) bytes[place] = letters.charCodeAt(place);
  box.remove();
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

function made(tag, text, more) {
  const box = Object.assign(document.createElement(tag), more);
  if (text !== undefined) box.textContent = text;
  return box;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

function size(bytes) {
  if (bytes === null) return "not known";
  let unit = 0;
  for (; bytes >= 1024 && unit < UNITS.length - 1; unit++) bytes /= 1024;
  return `${unit && bytes < 1000 ? Number(bytes.toPrecision(3)) : Math.round(bytes)} ${UNITS[unit]}`;
}

function age(seconds) {
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

const minute = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ") + "Z";
const stamp = (seconds) => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
