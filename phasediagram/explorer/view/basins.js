// Basins of attraction of two features in one dimension: which minimum gradient flow reaches from
// initial (w1, w2), with biases 0.

const BASIN_SIDE = 1.6; // largest initial weight
const BASIN_CELLS = 144; // along a side; an even number
const ARRIVED = 0.02; // distance from a minimum at which a flow has arrived there
const COARSEST = 8; // cells of the first picture
const NOWHERE = "#8a8a8a";

/** Colour the plane from coarse to fine; w and -w are the same network. */
function* paintBasins(app, solver, canvas) {
  const context = canvas.getContext("2d"), { minima, p, r } = app, cells = BASIN_CELLS;
  canvas.width = canvas.height = cells;
  const { search } = solver, ends = minima.map(({ x }) => x), colors = minima.map(({ phase }) => app.styleOf(phase).color);
  const known = new Int16Array(cells * cells).fill(-2);
  const weight = (cell) => (2 * (cell + 0.5) / cells - 1) * BASIN_SIDE;
  app.basins = { known, cells };
  for (let side = COARSEST; side >= 1; side /= 2) {
    for (let row = 0; row < cells / 2; row += side) {
      for (let column = 0; column < cells; column += side) {
        const at = row * cells + column;
        if (known[at] === -2) {
          search.at(p, r);
          known[at] = basinOf(search, ends, weight(column), -weight(row));
          known[(cells - 1 - row) * cells + cells - 1 - column] = known[at];
          yield;
        }
        context.fillStyle = known[at] < 0 ? NOWHERE : colors[known[at]];
        context.fillRect(column, row, side, side);
        context.fillRect(cells - column - side, cells - row - side, side, side);
      }
    }
  }
}

/** Which of some minima gradient flow reaches from weights with biases 0, or -1. */
function basinOf(search, ends, first, second) {
  const { descent, space, loss } = search;
  const start = Float64Array.from([first, second, 0, 0]), signatures = ends.map((x) => space.signature(x));
  let reached = -1;
  gradientFlow(descent, start, (x) => {
    const signature = space.signature(x);
    reached = signatures.findIndex((one) => space.distance(one, signature, ARRIVED) < ARRIVED);
    return reached >= 0 || (space.isSilent(signature) && Math.abs(x[0] * x[1]) < 1e-12);
  });
  return reached;
}

function drawBasinStart(app) {
  const [first, second] = app.x, place = (w) => (w / BASIN_SIDE + 1) / 2;
  byId("basins-overlay").setAttribute("viewBox", "0 0 1 1");
  byId("basins-overlay").replaceChildren(
    svg("path", { class: "axis", d: "M0,.5H1M.5,0V1" }),
    svg("circle", { class: "ring", cx: place(first), cy: place(-second), r: 0.022 }),
    svg("circle", { class: "ring", cx: place(first), cy: place(-second), r: 0.022 }));
}

function listenToBasins(app) {
  const plane = byId("basins-plane");
  const start = (first, second) => app.setNetwork(Float64Array.from([first, second, 0, 0]));
  const from = (event) => {
    const box = plane.getBoundingClientRect();
    const share = (offset, length) => Math.min(1, Math.max(0, offset / length)) * 2 - 1;
    start(share(event.clientX - box.left, box.width) * BASIN_SIDE, -share(event.clientY - box.top, box.height) * BASIN_SIDE);
  };
  plane.addEventListener("pointerdown", (event) => {
    stopMotion();
    plane.setPointerCapture(event.pointerId);
    from(event);
  });
  plane.addEventListener("pointermove", (event) => { if (event.buttons) from(event); });
  plane.addEventListener("pointerup", () => descend(app));
  plane.addEventListener("keydown", (event) => {
    const step = event.shiftKey ? 5 * NUDGE : NUDGE;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    if (event.key === "Enter") descend(app);
    else if (event.key in moves) start(app.x[0] + moves[event.key][0], app.x[1] + moves[event.key][1]);
    else return;
    event.preventDefault();
  });
}
