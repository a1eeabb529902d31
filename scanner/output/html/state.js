// What is asked for lives in the address, after "#?": it survives a reload, a shared link and the back button.
const WISHES = ["q", "verdict", "account", "ou", "region", "gateway", "tag", "waived", "share"];
const KNOWN = [...WISHES, "sort", "page", "columns", "volume"];
const LONGEST = 500; // characters of a value: an address may come from anybody

function asked() {
  const found = {};
  if (!location.hash.startsWith("#?")) return found;
  for (const [name, value] of new URLSearchParams(location.hash.slice(2))) {
    if (KNOWN.includes(name) && value) found[name] = value.slice(0, LONGEST);
  }
  return found;
}

function address(wish) {
  const given = KNOWN.filter((name) => wish[name]).map((name) => [name, wish[name]]);
  return `#?${new URLSearchParams(given)}`;
}

// Typing replaces the address once it rests, as browsers bound how often that may be; all else adds to the history.
let typing = null;

function ask(wish, typed = false) {
  clearTimeout(typing);
  const next = address(wish);
  if (next === location.hash) return;
  if (typed) typing = setTimeout(() => history.replaceState(null, "", next), 300);
  else history.pushState(null, "", next);
}
