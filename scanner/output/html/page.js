// How long ago the scan was, then the table: whatever fails, the page as it was written stays.
function ago() {
  const time = at("scanned");
  const seconds = Math.max(0, (Date.now() - Date.parse(time.dateTime)) / 1000);
  const unit = [[86400, "day"], [3600, "hour"], [60, "minute"]].find(([length]) => seconds >= length);
  at("ago").textContent = unit ? `, ${plural(Math.floor(seconds / unit[0]), unit[1])} ago` : ", just now";
  const rpo = Number(time.dataset.rpo);
  const old = Boolean(rpo) && seconds > rpo;
  at("ago").classList.toggle("old", old);
  at("stale").hidden = !old;
  if (!old) return;
  at("stale").textContent = `Older than the RPO of ${age(rpo)} that it judges: scan again.`;
  document.title = document.title.replace(/^(Old: )?/, "Old: ");
  if (document.querySelector(".numbers.well")) at("answer-title").textContent = "All was well when this was scanned.";
  for (const box of document.querySelectorAll(".good")) box.className = "plain";
}

function reveal(wish, focus) {
  if (!location.hash.startsWith("#?") || wish.volume) return;
  at("volumes").scrollIntoView();
  if (focus) at("volumes-title").focus({ preventScroll: true });
}

async function start() {
  const volumes = volumesOf(JSON.parse(await inflated("data")));
  const rows = table(volumes);
  const one = inspector(volumes, () => rows.wish.volume && rows.close());
  heat(volumes);
  const follow = () => {
    const wish = rows.follow();
    if (wish.volume) one.show(wish.volume);
    else one.hide();
    return wish;
  };
  // A link that changes nothing in the address is followed all the same.
  let clicked = false;
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#?']");
    clicked = link !== null;
    if (link && link.getAttribute("href") === location.hash) reveal(follow(), true);
  });
  window.addEventListener("hashchange", () => {
    // A link to a section asks for nothing, and takes no filter away.
    if (location.hash && !location.hash.startsWith("#?")) return;
    const wish = follow();
    if (clicked) reveal(wish, true);
    clicked = false;
  });
  if (rows.wish.volume) one.show(rows.wish.volume);
  reveal(rows.wish, false);
  document.documentElement.dataset.ready = "true";
}

ago();
setInterval(ago, 60000);
if ("DecompressionStream" in window) {
  start().catch((error) => {
    at("static").hidden = false;
    at("live").hidden = true;
    at("needs-script").textContent = "The table of all volumes could not be read from this file. What stands above is as it was written; all volumes are in the inventory.";
    console.error(error);
  });
}
