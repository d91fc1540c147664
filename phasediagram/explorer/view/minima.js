// The list of minima at the point, and what is said of the lowest or the chosen one.

/**
 * All minima at a point.  Where all features are equal the solver lists one copy of each; here those
 * are listed too in which another feature plays the part of the extra one, so that r = 1 is no
 * exception among its neighbours.
 */
function listedMinima(solver, p, r, starts) {
  const found = solver.solve(p, r, starts);
  if (r !== 1) return found;
  const { n, m } = solver, apart = new Space(n, m, false), all = [];
  for (const minimum of found) {
    const copies = [];
    for (const order of solver.search.spaces[1].orders) {
      const x = apart.permuted(minimum.x, order), signature = apart.signature(x);
      if (copies.every((copy) => apart.distance(copy.signature, signature) > SAME_STATE)) copies.push({ x, signature });
    }
    for (const { x } of copies) all.push({ ...minimum, x, outcome: solver.naming.outcome(x), ...weightsOf(n, m, x) });
  }
  const names = solver.naming.distinctNames(all.map(({ x }) => x), p);
  return all.map((minimum, k) => ({ ...minimum, phase: names[k] }));
}

const chip = (style) => element("span", { class: "chip", style: `--chip: ${style.color}` });

function showMinima(app) {
  const { minima, chosen } = app, lowest = minima[0].loss;
  const shown = minima[Math.max(0, chosen)], style = app.styleOf(shown.phase);
  const metastable = shown.loss - lowest > 1e-12 * lowest;
  byId("place").replaceChildren(element("i", {}, "p"), ` = ${brief(app.p)},  `, element("i", {}, "r"), ` = ${brief(app.r)}`);
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
