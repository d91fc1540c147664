// The list of minima at the point, and what is said of the lowest or the chosen one.

const AT_ONCE = 12; // milliseconds of searching before the list is shown

/**
 * A search at a point, that goes on after its list is shown: first from further starts, as the minima of
 * the last point, so that a list on the way lacks only what has come into being since then.
 */
class Searching {
  constructor(solver, p, r, further) {
    const starts = [...further, ...solver.starts];
    Object.assign(this, { solver, p, r, ends: [], goesOn: true });
    this.steps = solver.search.at(p, r).descents(starts, this.ends);
  }

  step() {
    this.goesOn = !this.steps.next().done;
  }

  /** Step for so long that a list can be shown. */
  begin() {
    const until = performance.now() + AT_ONCE;
    while (this.goesOn && (!this.ends.length || performance.now() < until)) this.step();
  }

  /** The list so far. */
  minima() {
    const { solver, p, r } = this;
    return listedMinima(solver, p, r, solver.named(solver.search.at(p, r).settled(this.ends)));
  }

  /** Go on, in slices, to the end. */
  *rest(done) {
    while (this.goesOn) {
      this.step();
      yield;
    }
    done(this.minima());
  }
}

/**
 * All minima at a point, of which the solver found one copy each.  Where more features are equal than elsewhere in the plane, as all are at
 * r = 1, the solver lists one copy of each; here those are listed too in which another feature plays
 * the part of the extra one, so that such a point is no exception among its neighbours.
 */
function listedMinima(solver, p, r, found) {
  const { search } = solver;
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
      element("span", { class: excess < 1e-12 ? "excess lowest" : "excess" }, index === 0 ? (app.isSearching ? "lowest yet" : "lowest") : percent(excess)));
  }));
  byId("searching").hidden = !app.isSearching;
}
