// The table first: the charts' library takes a moment.
async function start() {
  const data = JSON.parse(await inflated("data"));
  table(data);
  const library = document.createElement("script");
  library.textContent = await inflated("chart-library");
  document.head.append(library);
  const print = window.matchMedia("print");
  const draw = () => charts(data, print.matches);
  draw();
  for (const query of [window.matchMedia("(prefers-color-scheme: dark)"), print]) {
    query.addEventListener("change", draw);
  }
  // The browser counts the sheets before it tells that the medium has changed.
  window.addEventListener("beforeprint", () => charts(data, true));
  let drawn = at("heat-box").clientWidth;
  new ResizeObserver(() => {
    if (at("heat-box").clientWidth === drawn) return;
    drawn = at("heat-box").clientWidth;
    draw();
  }).observe(at("heat-box"));
  document.documentElement.dataset.ready = "true";
}

if ("DecompressionStream" in window) start();
