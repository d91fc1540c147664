// Switches, phases and special points.

const DEFAULT_LAYERS = { "first order": true, continuous: true, spinodal: false, "special points": true, shade: false };

function buildModels(app) {
  const label = (model) => model.title ?? `${model.n_features} features in ${model.n_hidden} dimension${model.n_hidden > 1 ? "s" : ""}`;
  app.models.forEach((model, index) => {
    const input = element("input", { type: "radio", name: "model", value: index });
    input.checked = model === app.model;
    input.addEventListener("change", () => app.changeModel(index));
    byId("models").append(element("label", {}, input, label(model)));
  });
  byId("models").hidden = app.models.length < 2;
  if (app.models.length === 1) document.querySelector("h1").append(`: ${label(app.model)}`);
}

function buildLayers(app) {
  byId("layers").append(...LAYERS.map((layer) => {
    const input = element("input", { type: "checkbox", name: layer });
    input.checked = app.layers[layer];
    input.addEventListener("change", () => app.switchLayer(layer, input.checked));
    const sample = svg("svg", { viewBox: "0 0 26 12", "aria-hidden": "true" });
    if (CURVES.includes(layer)) sample.append(svg("path", { class: "line " + layer.replace(" ", "-"), d: "M0,6H26" }));
    else if (layer === "shade") sample.append(svg("rect", { class: "shade", x: 2, y: 0, width: 22, height: 12 }));
    else sample.append(svg("path", { class: "special", d: MARKERS["triple point"], transform: "translate(13 6.5)" }));
    return element("label", {}, input, sample, LAYER_NAMES[layer] ?? layer);
  }));
}

/** The phases in the window, in the order of their meaning. */
function showLegend(app, names) {
  const known = Object.keys(app.content.phases), place = (name) => (known.indexOf(name) + known.length + 1) % (known.length + 1);
  byId("legend").replaceChildren(...[...names].sort((one, other) => place(one) - place(other)).map((name) =>
    element("li", {}, chip(app.styleOf(name)), element("span", {}, name, " ", element("small", {}, app.styleOf(name).meaning)))));
}

function buildPoints(app) {
  byId("points").replaceChildren(...app.model.special_points.map((point) => {
    const sample = svg("svg", { viewBox: "-6.5 -6.5 13 13", "aria-hidden": "true" }, svg("path", { class: "special", d: MARKERS[point.kind] }));
    const button = element("button", { type: "button" }, sample, element("span", {}, `${point.kind} `, element("small", {}, point.phases.join(", "))),
      element("small", {}, `${app.plane.y.symbol} = ${point.p.toFixed(10)}, ${app.plane.x.symbol} = ${point.r.toFixed(10)}`));
    button.addEventListener("click", () => {
      app.goTo(point);
      byId("diagram").scrollIntoView({ block: "nearest" });
    });
    return element("li", {}, button);
  }));
}

function about({ content, models, model, plane }) {
  const traced = models.map((one) => `phase_boundaries(${one.title ?? `${one.n_features}, ${one.n_hidden}`}): ${one.curves.length} curves, ${one.special_points.length} special points` +
    (one.unresolved ? `, ${one.unresolved} unresolved` : ""));
  byId("about").textContent = `phasediagram ${content.version}. Minima are solved for on this page, with W and b free, from ${model.solver.starts.length} starts, to gradients below 1e-13. ` +
    `Curves and special points are traced beforehand, to ${model.tolerance} (${traced.join("; ")}).`;
  const { isLinear, bias } = model.solver.search.loss, reconstruction = ["W", element("sup", {}, "⊤"), `W x${bias ? " + b" : ""}`];
  byId("assumed").replaceChildren("Model x′ = ", ...(isLinear ? reconstruction : ["ReLU(", ...reconstruction, ")"]), "; ",
    model.assumed ?? "features are active with probability p; the importances are 1, …, 1, r.");
  const penalised = [[model.penalties?.interference, "λ Σ (Wᵢ·Wⱼ)² over i ≠ j"], [model.penalties?.decay, "μ ‖W‖²"]];
  byId("penalised").textContent = penalised.filter(([isThere]) => isThere).map(([, text]) => `, and ${text}`).join("");
}
