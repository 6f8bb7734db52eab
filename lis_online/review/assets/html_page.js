// Unpacks plotly and draws the charts. Its colours are the style sheet's; here is what a style cannot say.
"use strict";
(async () => {
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const unpack = async (text) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  };
  if (charts.length) {
    const script = document.createElement("script");
    script.textContent = await unpack(document.getElementById("plotly").textContent);
    document.head.append(script); // runs at once: its digest is in the page's policy
    const touch = matchMedia("(pointer: coarse)").matches;
    const config = { displayModeBar: false, responsive: true, showTips: false, doubleClick: "reset" };
    const places = [];
    for (const { id, data, layout } of charts) {
      const place = document.getElementById("chart-" + id);
      place.replaceChildren();
      if (layout.xaxis.type === "date" && innerWidth < 720) layout.xaxis.nticks = 4;
      layout.dragmode = touch ? false : "zoom"; // a finger scrolls the page
      await Plotly.newPlot(place, data, layout, config);
      places.push(place);
    }
    const widths = (width) => places.forEach((place) => Plotly.relayout(place, { width, autosize: !width }));
    addEventListener("beforeprint", () => widths(660)); // within A4's and Letter's margins
    addEventListener("afterprint", () => widths(null));
  }
  document.documentElement.dataset.drawn = charts.length;
})();
