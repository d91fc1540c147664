// The list of minima at the point, and what is said of the lowest or the chosen one.

/**
 * All minima at a point.  Where more features are equal than elsewhere in the plane, as all are at
 * r = 1, the solver lists one copy of each; here those are listed too in which another feature plays
 * the part of the extra one, so that such a point is no exception among its neighbours.
 */
function listedMinima(solver, p, r, starts) {
  const found = solver.solve(p, r, starts), { search } = solver;
  const { n, m } = solver, apart = search.planeSpace, { space } = search.at(p, r), all = [];
  if (!found.length) return [nothingFound(solver)];
  if (space === apart) return found;
  for (const minimum of found) {
    const copies = [];
    for (const order of space.orders) {
      const x = apart.permuted(minimum.x, order), signature = apart.signature(x);
      if (copies.every((copy) => apart.distance(copy.signature, signature) > SAME_STATE)) copies.push({ x, signature });
    }
    for (const { x } of copies) all.push({ ...minimum, x, outcome: solver.naming.outcome(x), ...weightsOf(n, m, x) });
  }
  const names = solver.naming.distinctNames(all.map(({ x }) => x), search.loss.density);
  return all.map((minimum, k) => ({ ...minimum, phase: names[k] }));
}

/** What is listed where no minimum is found, as where a penalty leaves nothing: the network of zeros. */
function nothingFound({ n, m, search }) {
  const x = new Float64Array(m * n + n);
  return { phase: "no minimum found", outcome: "ignored", loss: search.loss.evaluate(x, 0), x, ...weightsOf(n, m, x) };
}

const chip = (style) => element("span", { class: "chip", style: `--chip: ${style.color}` });

function showMinima(app) {
  const { minima, chosen } = app, lowest = minima[0].loss;
  const shown = minima[Math.max(0, chosen)], style = app.styleOf(shown.phase);
  const metastable = shown.loss - lowest > 1e-12 * lowest;
  const { x: across, y: up } = app.plane;
  byId("place").replaceChildren(element("i", {}, up.symbol), ` = ${brief(app.p)},  `, element("i", {}, across.symbol), ` = ${brief(app.r)}`);
  byId("phase").replaceChildren(chip(style), element("span", {}, shown.phase), ...(metastable ? [element("small", {}, "metastable")] : []));
  byId("meaning").textContent = style.meaning;
  byId("minima-list").replaceChildren(...minima.map((minimum, index) => {
    const input = element("input", { type: "radio", name: "minimum", value: index });
    input.checked = index === chosen;
    input.addEventListener("change", () => app.choose(index));
    const excess = minimum.loss / lowest - 1;
    return element("label", { "data-phase": minimum.phase }, input, chip(app.styleOf(minimum.phase)),
      element("span", { class: "name" }, minimum.phase), element("span", { class: "loss", title: String(minimum.loss) }, lossText(minimum.loss)),
      element("span", { class: excess < 1e-12 ? "excess lowest" : "excess" }, index === 0 ? "lowest" : percent(excess)));
  }));
}
