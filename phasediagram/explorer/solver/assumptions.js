// What is assumed at each point of the plane: probabilities of the sets of active features,
// importances, penalties.  A port of phasediagram/parameters.py and phasediagram/kernel/tables.py.
//
// A point is (p, r): the value of the vertical axis and that of the horizontal one, which are the
// density and the relative importance on the paper's axes.

const SAME_PARAMETER = 1e-13; // relative difference of parameters that are equal but for rounding
const GENERIC = [[0.3819, 0.7236], [0.6271, 0.2187], [0.1543, 0.5408]]; // shares of the axes, see `planeOrders`

class Assumptions {
  /** `given` is a record of the page's content; left out, the paper's model on its axes. */
  constructor(n, m, given = {}) {
    const { model = {}, held = {}, y = PAPER_AXES.y, x = PAPER_AXES.x } = given;
    Object.assign(this, { n, m, y: new Axis(y), x: new Axis(x), bias: true, activation: "relu", groups: [], activity: null }, model);
    this.held = {
      density: Array(n).fill(1), importance: Array(n).fill(1), relative_density: 1, correlation: null, follow: null,
      interference_penalty: 0, weight_decay: 0, ...held,
    };
    const grouped = this.groups.flatMap(({ features }) => features);
    const alone = Array.from({ length: n }, (_, i) => i).filter((i) => !grouped.includes(i));
    this.blocks = [...this.groups, ...alone.map((i) => ({ kind: "alone", features: [i] }))];
    this.isPapers = Object.keys(given.model ?? {}).length === 0;
  }

  /** The numbers that the model is at: see `phasediagram.toymodel.settings.Setting`. */
  setting(p, r) {
    const { n, held } = this, found = { ...held, density: [...held.density], importance: [...held.importance] };
    const given = [[this.y, p], [this.x, r]];
    const ofAll = ({ name }) => !name.includes("[");
    // the density of all features first, of one feature then
    for (const [axis, value] of [...given.filter(([axis]) => ofAll(axis)), ...given.filter(([axis]) => !ofAll(axis))]) {
      const [, quantity, feature] = /^(\w+)(?:\[(\d+)\])?$/.exec(axis.name);
      if (axis.name === "density") found.density.fill(value);
      else if (axis.name === "relative_importance") found.importance[n - 1] = value;
      else if (quantity === "density") for (const i of this.blockOf(Number(feature))) found.density[i] = value;
      else if (quantity === "importance") found.importance[feature] = value;
      else found[quantity] = value;
    }
    found.density[n - 1] *= found.relative_density;
    return found;
  }

  blockOf(feature) {
    return this.blocks.find(({ features }) => features.includes(feature)).features;
  }

  /** What the loss needs at a point besides W and b, and the density by which phases are named. */
  at(p, r) {
    const { n } = this, setting = this.setting(p, r), table = this.table(setting);
    return {
      table, importance: Float64Array.from(setting.importance), interference: setting.interference_penalty,
      decay: setting.weight_decay, naming: this.namingDensity(setting, table), n,
    };
  }

  /** Probability of each set of active features; bit j of the index says whether feature j is active. */
  table(setting) {
    const { n, blocks, activity } = this;
    if (activity) return Float64Array.from(activity);
    const table = new Float64Array(1 << n).fill(1);
    for (const { kind, features, strength } of blocks) {
      const density = setting.density[features[0]];
      const stronger = kind === "correlated" ? setting.correlation : kind === "hierarchical" ? setting.follow : null;
      const law = LAWS[kind](density, features.length, stronger ?? strength);
      for (let active = 0; active < 1 << n; active++) {
        let inside = 0;
        features.forEach((i, j) => { inside |= ((active >> i) & 1) << j; });
        table[active] *= law[inside];
      }
    }
    return table;
  }

  namingDensity(setting, table) {
    const { n } = this;
    const marginal = this.groups.length || this.activity
      ? Array.from({ length: n }, (_, j) => table.reduce((sum, weight, active) => sum + ((active >> j) & 1 ? weight : 0), 0))
      : setting.density;
    const isSame = marginal.every((density) => density === marginal[0]);
    return Math.min(1, isSame ? marginal[0] : marginal.reduce((sum, density) => sum + density, 0) / n);
  }

  /** Orders of the features that change nothing anywhere in the plane. */
  planeOrders() {
    const points = GENERIC.map(([up, across]) => this.at(
      ...[[this.y, up], [this.x, across]].map(([axis, share]) => axis.value(axis.low + share * (axis.high - axis.low)))));
    return symmetricOrders(points, SAME_PARAMETER);
  }

  /** Orders of the features that change nothing at a point; on the paper's axes r = 1 exactly, as in Python. */
  orders(point) {
    return symmetricOrders([point], this.isPapers ? 0 : SAME_PARAMETER);
  }

  /** The point half way between two. */
  middle(one, other) {
    return [this.y.middle(one[0], other[0]), this.x.middle(one[1], other[1])];
  }
}

/** Probabilities of the sets of active members of a block, by its density and strength. */
const LAWS = {
  alone: (p) => [1 - p, p],
  anticorrelated: (p, size) => {
    const law = Array(1 << size).fill(0);
    law[0] = 1 - p;
    for (let j = 0; j < size; j++) law[1 << j] = p / size;
    return law;
  },
  hierarchical: (p, size, follow) => [1 - p, p * (1 - follow), 0, p * follow],
  correlated: (p, size, c) => {
    const q = p + c * (1 - p), on = p / q;
    return Array.from({ length: 1 << size }, (_, active) => {
      let chance = on;
      for (let j = 0; j < size; j++) chance *= (active >> j) & 1 ? q : 1 - q;
      return active ? chance : chance + 1 - on;
    });
  },
};

const ALL_ORDERS = new Map(); // of n features, the identity first, each with what it does to sets

function allOrders(n) {
  if (!ALL_ORDERS.has(n)) {
    ALL_ORDERS.set(n, permutations(Array.from({ length: n }, (_, i) => i)).map((order) => ({
      order, moved: Array.from({ length: 1 << n }, (_, active) => order.reduce((set, j, i) => set | (((active >> i) & 1) << j), 0)),
    })));
  }
  return ALL_ORDERS.get(n);
}

/** All orders of the features that change neither table nor importances, as far as these may differ, at some points. */
function symmetricOrders(points, tolerance) {
  const same = (one, other, allowed = SAME_PARAMETER) => Math.abs(one - other) <= allowed * Math.abs(other);
  const holds = ({ order, moved }) => points.every(({ table, importance }) =>
    order.every((i, k) => same(importance[i], importance[k], tolerance)) && moved.every((from, active) => same(table[from], table[active])));
  return allOrders(points[0].n).filter(holds).map(({ order }) => order);
}
