// The solver: every minimum at a density and relative importance, named.

class Solver {
  constructor(n, m) {
    Object.assign(this, { n, m, search: new Search(n, m), naming: new Naming(n, m), starts: solverStarts(n, m) });
  }

  /** All minima, lowest first: { loss, W, b, phase, outcome, curvature, slope, x }. */
  solve(density, relativeImportance) {
    const { n, m, naming, search } = this;
    const found = search.at(density, relativeImportance).minima(this.starts);
    const states = found.map(({ x }) => search.space.leastOfTheExtra(x));
    const names = naming.distinctNames(states, density);
    return found.map(({ loss, slope, curvature }, k) => ({
      phase: names[k], outcome: naming.outcome(states[k]), loss, slope, curvature, x: states[k], ...weightsOf(n, m, states[k]),
    }));
  }
}

function weightsOf(n, m, x) {
  return { W: Array.from({ length: m }, (_, k) => Array.from(x.slice(k * n, k * n + n))), b: Array.from(x.slice(m * n)) };
}

function stateOf(W, b) {
  return Float64Array.from([...W.flat(), ...b]);
}

const START_COUNT = { 2: 450, 3: 300, 4: 210 };
function solverStarts(n, m) { return randomStarts(n, m, START_COUNT[n], 1); }
