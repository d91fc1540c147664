// To and from elsewhere: Python, JSON, pasted weights, and the page's address.

const rowsText = (W) => `[${W.map((row) => `[${row.map(String).join(", ")}]`).join(", ")}]`;

function asPython(app) {
  const { n, m, assumptions } = app.solver, { W, b } = weightsOf(n, m, app.x);
  const network = `# the network on the page, loss ${app.loss.evaluate(app.x, 0)}
W = ${rowsText(W)}
b = [${b.join(", ")}]
`;
  if (assumptions.isPapers) {
    return `import phasediagram as phd

solution = phd.solve(${app.p}, ${app.r}, n_features=${n}, n_hidden=${m})
${network}loss = phd.expected_loss(W, b, density=${app.p}, importance=[${[...Array(n - 1).fill(1), app.r].join(", ")}])
`;
  }
  const setting = assumptions.setting(app.p, app.r), importance = `importance=[${setting.importance.join(", ")}]`;
  const density = assumptions.activity ? "" : `density=${densityText(setting.density.map((value) => Math.min(1, value)))}, `;
  return `import phasediagram as phd

model = ${modelText(assumptions, setting)}
solution = phd.solve(${density}${importance}, model=model)
${network}loss = phd.expected_loss(W, b, ${density}${importance}, model=model)
`;
}

const densityText = (values) => (values.every((value) => value === values[0]) ? String(values[0]) : `[${values.join(", ")}]`);

/** The model at a point, as Python. */
function modelText({ n, m, bias, activation, groups, activity }, setting) {
  const strengths = {
    correlated: (strength) => `, correlation=${setting.correlation ?? strength}`, anticorrelated: () => "",
    hierarchical: (strength) => `, follow=${setting.follow ?? strength}`,
  };
  const grouped = groups.map(({ kind, features, strength }) => `phd.${kind}(${features.join(", ")}${strengths[kind](strength)})`);
  const parts = [n, m];
  if (!bias) parts.push("bias=False");
  if (activation !== "relu") parts.push(`activation="${activation}"`);
  if (grouped.length) parts.push(`groups=[${grouped.join(", ")}]`);
  if (activity) parts.push(`activity=[${activity.join(", ")}]`);
  if (setting.interference_penalty) parts.push(`interference_penalty=${setting.interference_penalty}`);
  if (setting.weight_decay) parts.push(`weight_decay=${setting.weight_decay}`);
  return `phd.ToyModel(${parts.join(", ")})`;
}

function asJson(app) {
  const { n, m, assumptions } = app.solver, { W, b } = weightsOf(n, m, app.x);
  const model = assumptions.isPapers ? {} : { model: modelText(assumptions, assumptions.setting(app.p, app.r)) };
  const minima = app.minima.map(({ phase, outcome, loss, W, b }) => ({ phase, outcome, loss, W, b }));
  return JSON.stringify({
    [assumptions.y.name]: app.p, [assumptions.x.name]: app.r, n_features: n, n_hidden: m, ...model, loss: app.loss.evaluate(app.x, 0), W, b, minima,
    version: app.content.version,
  }, null, 2);
}

async function copy(text, button) {
  const said = button.dataset.label ?? (button.dataset.label = button.textContent);
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch { // not every browser lets a local file write there
    byId("pasted").value = text;
    byId("pasted").select();
    button.textContent = "In the box below";
  }
  setTimeout(() => { button.textContent = said; }, 1600);
}

/**
 * Read W (m rows of n numbers) and b (n numbers) from Python or JSON text, such as
 * `W = np.array([[1, -1]])` and `b = [0, 0.1]`; throws an Error that says what is wrong.
 */
function parsedWeights(text, { n, m, bias }) {
  const listAfter = (name) => {
    const begin = new RegExp(`(^|[^A-Za-z_])["']?${name}["']?\\s*[:=]`, "m").exec(text);
    if (!begin) return undefined;
    const from = text.indexOf("[", begin.index + begin[0].length);
    if (from < 0) return undefined;
    let depth = 0;
    for (let at = from; at < text.length; at++) {
      depth += text[at] === "[" ? 1 : text[at] === "]" ? -1 : 0;
      if (depth === 0) return text.slice(from, at + 1);
    }
    return undefined;
  };
  const read = (name) => {
    const list = listAfter(name);
    if (list === undefined) throw new Error(`No list of numbers for ${name} found; write ${name} = [...].`);
    let values;
    try {
      values = JSON.parse(list.replace(/\s+/g, " ").replace(/,\s*\]/g, "]").replace(/(-?)\b(\d+)\.(?!\d)/g, "$1$2.0")
        .replace(/([[,]\s*[+-]?)\.(\d)/g, "$10.$2").replace(/\+/g, ""));
    } catch {
      throw new Error(`${name} must be a list of numbers, got ${list.slice(0, 60)}.`);
    }
    return values;
  };
  const isRow = (row) => Array.isArray(row) && row.length === n && row.every((value) => typeof value === "number" && Math.abs(value) <= LARGEST_WEIGHT);
  const W = read("W"), b = read("b");
  const rows = W.every(Array.isArray) ? W : [W]; // one row may come without its brackets
  if (rows.length !== m || !rows.every(isRow)) {
    const shape = rows.every((row) => row.length === rows[0].length) ? `${rows.length} of ${rows[0]?.length ?? 0}` : "ragged ones";
    throw new Error(`W must be ${m} row${m > 1 ? "s" : ""} of ${n} numbers up to ${LARGEST_WEIGHT}, got ${shape}: ${JSON.stringify(W).slice(0, 60)}.`);
  }
  if (!isRow(b)) throw new Error(`b must be ${n} numbers up to ${LARGEST_WEIGHT}, got ${JSON.stringify(b).slice(0, 60)}.`);
  if (!bias && b.some((value) => value !== 0)) throw new Error(`b must be 0 in a model without biases, got ${JSON.stringify(b).slice(0, 60)}.`);
  return stateOf(rows, b);
}

function usePasted(app) {
  try {
    app.setNetwork(parsedWeights(byId("pasted").value, app.solver.search.loss));
    say("paste-message", "");
  } catch (error) {
    say("paste-message", error.message);
  }
}

/** Everything that is shown, as numbers. */
function addressOf(app) {
  const { n, m } = app.solver, { left, right, bottom, top } = app.plane.window;
  const place = new URLSearchParams({ n, m, p: app.p, r: app.r });
  const alike = app.models.filter((model) => model.n_features === n && model.n_hidden === m);
  if (alike.indexOf(app.model) > 0) place.set("model", alike.indexOf(app.model) + 1);
  if (app.chosen > 0) place.set("minimum", app.chosen + 1);
  if (app.chosen < 0) place.set("x", Array.from(app.x).join(" "));
  if (!app.plane.isWhole) place.set("view", [left, right, bottom, top].join(" "));
  const switched = LAYERS.filter((layer) => app.layers[layer] !== DEFAULT_LAYERS[layer]).map((layer) => LAYERS.indexOf(layer) + 1);
  if (switched.length) place.set("layers", switched.join(" "));
  return "#" + place;
}

let addressTimer = 0;
function keepAddress(app) {
  clearTimeout(addressTimer);
  addressTimer = setTimeout(() => {
    try { history.replaceState(null, "", addressOf(app)); } catch { /* some browsers refuse for local files */ }
  }, 150);
}

/** Read an address; what is missing or out of range is left as it is. */
function recall(app, hash) {
  const place = new URLSearchParams(hash.slice(1));
  const numbers = (name) => (place.get(name) ?? "").split(" ").filter(Boolean).map(typedNumber);
  const one = (name) => (numbers(name).length === 1 ? numbers(name)[0] : NaN);
  const alike = app.models.filter((model) => model.n_features === one("n") && model.n_hidden === one("m"));
  const model = alike[(one("model") || 1) - 1] ?? alike[0];
  if (model) app.takeModel(app.models.indexOf(model));
  const { x: across, y: up, whole } = app.plane;
  if (one("p") >= up.start && one("p") <= up.stop) app.p = one("p");
  if (one("r") >= across.start && one("r") <= across.stop) app.r = one("r");
  const view = numbers("view");
  if (view.length === 4 && view.every(Number.isFinite) && view[0] < view[1] && view[2] < view[3]) {
    app.plane.place(view[0], view[3], Math.min(whole.right - whole.left, view[1] - view[0]), Math.min(whole.top - whole.bottom, view[3] - view[2]));
  }
  for (const number of numbers("layers")) if (LAYERS[number - 1]) app.layers[LAYERS[number - 1]] = !DEFAULT_LAYERS[LAYERS[number - 1]];
  app.resolve();
  app.chosen = Math.min(app.minima.length, Math.max(1, Math.round(one("minimum")) || 1)) - 1;
  const x = numbers("x"), { size, n, m, bias } = app.solver.search.loss;
  const isNetwork = x.length === size && x.every((value) => Math.abs(value) <= LARGEST_WEIGHT) && (bias || x.slice(m * n, size).every((value, i) => i < n && value === 0));
  if (isNetwork) [app.x, app.chosen] = [Float64Array.from(x), -1];
  else app.x = app.displayed(app.minima[app.chosen].x, null);
}
