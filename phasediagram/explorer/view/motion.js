// The network in motion: down the gradient to a minimum, or trained on samples.

const DURATION = 1400; // milliseconds, of a descent on screen
const RATE = 0.1; // of training, over the largest importance
const STEPS_A_FRAME = 6;
const REMEMBERED = 400; // losses of the trace

const motion = { frame: 0, trace: [], kind: null, random: null };

function stopMotion() {
  cancelAnimationFrame(motion.frame);
  motion.kind = null;
  byId("train").setAttribute("aria-pressed", "false");
  byId("train").textContent = "Train";
}

/** Follow gradient flow from the network to the minimum that it reaches. */
function descend(app) {
  stopMotion();
  const path = gradientFlow(app.solver.search.at(app.p, app.r).descent, app.x);
  const lengths = [0];
  for (let k = 1; k < path.length; k++) {
    lengths.push(lengths[k - 1] + Math.hypot(...path[k].map((value, i) => value - path[k - 1][i])));
  }
  const whole = lengths[lengths.length - 1], begun = performance.now();
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches || whole < 1e-6;
  motion.kind = "descend";
  motion.trace = [];
  let k = 1;
  const frame = (now) => {
    const share = still ? 1 : Math.min(1, Math.max(0, (now - begun) / DURATION));
    const target = whole * (1 - (1 - share) ** 2);
    while (k < path.length - 1 && lengths[k] < target) k++;
    if (share < 1 && path.length > 1) {
      const gap = lengths[k] - lengths[k - 1], part = gap ? Math.min(1, (target - lengths[k - 1]) / gap) : 1;
      show(app, path[k].map((value, i) => path[k - 1][i] + part * (value - path[k - 1][i])));
      motion.frame = requestAnimationFrame(frame);
      return;
    }
    motion.kind = null;
    arrive(app, path[path.length - 1]);
  };
  motion.frame = requestAnimationFrame(frame);
}

/** Say which minimum a descent reached; one that the search had not found is added to the list. */
function arrive(app, x) {
  const find = () => app.minimumAt(x);
  if (find() < 0) app.resolve([x]);
  app.setNetwork(x, find());
  remember(app);
  say("network-message", app.chosen < 0 ? "Gradient flow ended on a plateau or a saddle." : "");
}

function train(app) {
  const running = motion.kind === "train";
  stopMotion();
  if (running) return;
  motion.kind = "train";
  motion.trace = [];
  motion.random ??= randomNumbers(1);
  byId("train").setAttribute("aria-pressed", "true");
  byId("train").textContent = "Stop";
  const frame = () => {
    const x = Float64Array.from(app.x), loss = app.solver.search.at(app.p, app.r).loss;
    for (let step = 0; step < STEPS_A_FRAME; step++) trainingStep(loss, x, motion.random, RATE / Math.max(1, app.r));
    show(app, x);
    motion.frame = requestAnimationFrame(frame);
  };
  motion.frame = requestAnimationFrame(frame);
}

function show(app, x) {
  app.setNetwork(Float64Array.from(x), -1, true);
  remember(app);
}

function remember(app) {
  motion.trace.push(app.loss.evaluate(app.x, 0));
  if (motion.trace.length > REMEMBERED) motion.trace.shift();
  drawTrace(app);
}

function drawTrace(app) {
  byId("history").hidden = motion.trace.length < 2;
  const width = byId("trace").clientWidth || 300, height = 70, lowest = app.minima[0].loss;
  const { trace } = motion, top = Math.max(...trace, lowest * 1.2), bottom = lowest - 0.04 * (top - lowest);
  const x = (k) => 2 + (k / Math.max(1, trace.length - 1)) * (width - 4), y = (loss) => 4 + ((top - loss) / (top - bottom)) * (height - 8);
  byId("trace").setAttribute("viewBox", `0 0 ${width} ${height}`);
  const label = svg("text", { x: width - 2, y: y(lowest) - 4, "text-anchor": "end" });
  label.textContent = "lowest minimum";
  byId("trace").replaceChildren(
    svg("line", { class: "floor", x1: 0, x2: width, y1: y(lowest), y2: y(lowest) }), label,
    svg("path", { class: "trace", d: trace.length ? "M" + trace.map((loss, k) => `${x(k).toFixed(1)},${y(loss).toFixed(1)}`).join("L") : "" }));
}

/** Random weights, as a network might begin with. */
function shuffle(app) {
  stopMotion();
  const { n, m } = app.solver;
  motion.random ??= randomNumbers(1);
  const normal = normalNumbers(motion.random);
  app.setNetwork(Float64Array.from({ length: m * n + n }, (_, i) => (i < m * n ? 0.5 * normal() : 0)));
}
