// The network as numbers: W and b to type into, interference, errors and gradient.

const LARGEST_WEIGHT = 1e3;

function buildTables(app) {
  const { n, m } = app.solver, features = Array.from({ length: n }, (_, i) => i);
  const heads = features.map((i) => element("th", { scope: "col", style: `--chip: ${featureColor(n, i)}` }, element("span", { class: "key" }), featureName(n, i)));
  const row = (label, name, start) => element("tr", {}, element("th", { scope: "row" }, ...label), ...features.map((i) => {
    const input = element("input", { type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false", "data-at": start + i, "aria-label": `${name} of feature ${featureName(n, i)}` });
    input.addEventListener("change", () => typeWeight(app, input));
    input.addEventListener("keydown", (event) => { if (event.key === "Enter") typeWeight(app, input); });
    return element("td", {}, input);
  }));
  byId("parameters").replaceChildren(
    element("caption", {}, "Weights and biases"),
    element("tr", {}, element("td", { class: "empty" }), ...heads),
    ...Array.from({ length: m }, (_, k) => row([element("i", {}, "W"), element("sub", {}, String(k + 1))], `W, dimension ${k + 1},`, k * n)),
    ...(app.solver.search.loss.bias ? [row([element("i", {}, "b")], "Bias", m * n)] : []));
}

function typeWeight(app, input) {
  const value = typedNumber(input.value), at = Number(input.dataset.at);
  const wrong = !(Math.abs(value) <= LARGEST_WEIGHT);
  input.setAttribute("aria-invalid", wrong);
  if (wrong) {
    say("network-message", `A weight must be a number between −${LARGEST_WEIGHT} and ${LARGEST_WEIGHT}, got “${input.value}”.`);
    return;
  }
  if (value === app.x[at]) return;
  const x = Float64Array.from(app.x);
  x[at] = value;
  app.setNetwork(x);
}

function showTables(app) {
  const { n, m } = app.solver, { x, loss } = app, gradient = new Float64Array(x.length);
  const total = loss.evaluate(x, 1, gradient), errors = loss.errors(x), gram = loss.gram;
  for (const input of byId("parameters").querySelectorAll("input")) {
    const value = x[Number(input.dataset.at)];
    if (document.activeElement === input && typedNumber(input.value) === value) continue;
    input.value = fixed(value, n > 3 ? 2 : 4); // as many as there is room for
    input.title = String(value);
    input.removeAttribute("aria-invalid");
  }
  const largest = Math.max(0.6, ...gram.map(Math.abs));
  const heads = Array.from({ length: n }, (_, i) => element("th", { scope: "col", style: `--chip: ${featureColor(n, i)}` }, element("span", { class: "key" }), featureName(n, i)));
  byId("gram").replaceChildren(
    element("caption", {}, "Interference ", element("span", { class: "math" }, "W", element("sup", {}, "⊤"), "W")),
    element("tr", {}, element("td", { class: "empty" }), ...heads),
    ...Array.from({ length: n }, (_, i) => element("tr", {}, element("th", { scope: "row" }, featureName(n, i)),
      ...Array.from({ length: n }, (_, j) => {
        const value = gram[i * n + j], tint = Math.round((50 * Math.abs(value)) / largest);
        const color = `color-mix(in srgb, rgb(var(--${value < 0 ? "negative" : "positive"})) ${tint}%, transparent)`;
        return element("td", { title: String(value), style: `--cell: ${color}` }, fixed(value, n > 3 ? 2 : 3));
      }))));
  const shares = errors.map((error, i) => error * loss.importance[i]), most = Math.max(...shares, 1e-300);
  byId("errors").replaceChildren(
    element("tr", {}, ...[["output"], ["error"], ["share of the loss"], ["|∂L/∂W|", "norm of the gradient by its direction"], ["∂L/∂b", "slope in its bias"]].map(([text, title = ""]) => element("th", { scope: "col", title }, text))),
    ...errors.map((error, i) => element("tr", {},
      element("th", { scope: "row", style: `--chip: ${featureColor(n, i)}` }, element("span", { class: "key" }), featureName(n, i)),
      element("td", { title: String(error) }, error.toPrecision(4)),
      element("td", { class: "bar", title: String(shares[i]) }, element("span", { style: `width: ${(100 * shares[i]) / most}%; --chip: ${featureColor(n, i)}` }), element("b", {}, `${((100 * shares[i]) / total).toFixed(0)} %`)),
      element("td", {}, slopeText(Math.hypot(...Array.from({ length: m }, (_, k) => gradient[k * n + i])))),
      element("td", {}, slopeText(gradient[m * n + i])))), ...penaltyRow(total, total - shares.reduce((sum, share) => sum + share, 0), loss));
  const { minima, chosen } = app, excess = total / minima[0].loss - 1;
  const where = chosen >= 0 ? `at ${minima[chosen].phase}` : Math.abs(excess) < 1e-12 ? "as low as the lowest" : `${percent(excess)} above the lowest`;
  byId("network-state").replaceChildren("loss ", element("b", { id: "loss", title: String(total) }, lossText(total)), ` · ${where} · |∇L| ${slopeText(norm(gradient))}`);
}

/** What penalties add to the loss. */
function penaltyRow(total, penalty, { interference, decay }) {
  if (!interference && !decay) return [];
  return [element("tr", {}, element("th", { scope: "row" }, "penalty"), element("td", { title: String(penalty) }, penalty.toPrecision(4)),
    element("td", {}, `${((100 * penalty) / total).toFixed(0)} %`), element("td", {}), element("td", {}))];
}

const slopeText = (slope) => (Math.abs(slope) < 1e-12 ? "0" : minus(slope.toPrecision(2)));
