// The solver: every minimum at a density and relative importance, named.

class Solver {
  constructor(n, m) {
    Object.assign(this, { n, m, search: new Search(n, m), naming: new Naming(n, m), starts: searchStarts(n, m) });
  }

  /** All minima, lowest first, found from further starts too: { loss, W, b, phase, ... }. */
  solve(density, relativeImportance, further = []) {
    const { n, m, naming, search } = this;
    const found = search.at(density, relativeImportance).minima([...this.starts, ...further]);
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
