// The features' directions in the hidden space, as arrows that can be dragged.

const REACH = 1.45; // half the width of the drawing, in units of W
const HEAD = 0.1, GRIP = 0.17;
const DOWNHILL = 0.5; // length of the longest line that shows the gradient
const LANE = 0.42; // between arrows in one hidden dimension
const NUDGE = 0.02;

/** Where the tip and the tail of feature i's arrow are, in units of W. */
function arrowEnds(n, m, x, i) {
  const lane = m === 1 ? ((n - 1) / 2 - i) * LANE : 0;
  return { tail: [0, lane], tip: [x[i], m === 1 ? lane : x[n + i]] };
}

function drawArrows(app) {
  const { n, m } = app.solver, { x } = app, drawing = byId("arrows");
  const height = m === 1 ? Math.max(0.6, (n * LANE) / 2 + 0.25) : REACH;
  drawing.setAttribute("viewBox", `${-REACH} ${-height} ${2 * REACH} ${2 * height}`);
  const gradient = new Float64Array(x.length);
  app.loss.evaluate(x, 1, gradient);
  const steepest = Math.max(1e-12, norm(gradient.slice(0, m * n))), scale = steepest > 1e-9 ? DOWNHILL * Math.min(1, steepest / 0.05) / steepest : 0;
  const parts = m === 1
    ? [svg("path", { class: "guide", d: `M${-REACH},0H${REACH}M-1,${-height}V${height}M1,${-height}V${height}M0,${-height}V${height}` })]
    : [svg("circle", { class: "guide", r: 1 }), svg("path", { class: "axis", d: `M${-REACH},0H${REACH}M0,${-REACH}V${REACH}` })];
  for (let i = 0; i < n; i++) parts.push(arrow(app, i, gradient, scale));
  const focused = document.activeElement?.dataset?.feature;
  drawing.replaceChildren(...parts);
  if (focused !== undefined) drawing.querySelector(`[data-feature="${focused}"]`)?.focus();
}

function arrow(app, i, gradient, scale) {
  const { n, m } = app.solver, { x } = app, { tail, tip } = arrowEnds(n, m, x, i);
  const color = featureColor(n, i), length = Math.hypot(tip[0] - tail[0], tip[1] - tail[1]);
  const [dx, dy] = length > 1e-9 ? [(tip[0] - tail[0]) / length, (tip[1] - tail[1]) / length] : [1, 0];
  const down = [-scale * gradient[i], m === 1 ? 0 : -scale * gradient[n + i]];
  const group = svg("g", { class: "feature", tabindex: 0, role: "button", "data-feature": i, style: `--color: ${color}`,
    "aria-label": `Feature ${featureName(n, i)}: ${weightsOf(n, m, x).W.map((row) => row[i].toFixed(3)).join(", ")}; arrow keys change it` });
  group.append(svg("line", { class: "downhill", x1: tip[0], y1: -tip[1], x2: tip[0] + down[0], y2: -tip[1] - down[1] }));
  if (length > 0.02) {
    const head = Math.min(HEAD, 0.6 * length), back = [tip[0] - head * dx, tip[1] - head * dy];
    group.append(
      svg("line", { class: "shaft", x1: tail[0], y1: -tail[1], x2: back[0], y2: -back[1] }),
      svg("path", { class: "head", d: `M${tip[0]},${-tip[1]}L${back[0] - 0.5 * head * dy},${-(back[1] + 0.5 * head * dx)}L${back[0] + 0.5 * head * dy},${-(back[1] - 0.5 * head * dx)}Z` }));
  } else {
    group.append(svg("circle", { class: "head", cx: tip[0], cy: -tip[1], r: 0.045 }));
  }
  const beside = 0.09 + 0.045 * featureName(n, i).length * Math.abs(dx);
  const label = svg("text", { x: tip[0] + beside * dx, y: -tip[1] - 0.16 * dy + 0.05, "text-anchor": "middle" });
  label.textContent = featureName(n, i);
  group.append(label, svg("circle", { class: "grip", cx: tip[0], cy: -tip[1], r: GRIP }));
  return group;
}

function listenToArrows(app) {
  const drawing = byId("arrows");
  let held = null;
  const place = (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(drawing.getScreenCTM().inverse());
    return [point.x, -point.y];
  };
  const set = (i, [across, up]) => {
    const { n, m } = app.solver, x = Float64Array.from(app.x);
    x[i] = across;
    if (m > 1) x[n + i] = up;
    app.setNetwork(x);
  };
  drawing.addEventListener("pointerdown", (event) => {
    const [across, up] = place(event), { n, m } = app.solver;
    let nearest = Infinity;
    for (let i = 0; i < n; i++) {
      const { tip, tail } = arrowEnds(n, m, app.x, i);
      const distance = Math.min(Math.hypot(tip[0] - across, tip[1] - up), m === 1 ? 0.3 + Math.abs(tail[1] - up) : Infinity);
      if (distance < nearest) [nearest, held] = [distance, i];
    }
    if (nearest > 0.6) held = null;
    if (held === null) return;
    drawing.setPointerCapture(event.pointerId);
    drawing.querySelector(`[data-feature="${held}"]`).focus({ preventScroll: true });
    event.preventDefault();
    set(held, [across, up]);
  });
  drawing.addEventListener("pointermove", (event) => { if (held !== null) set(held, place(event)); });
  for (const name of ["pointerup", "pointercancel"]) drawing.addEventListener(name, () => { held = null; });
  drawing.addEventListener("keydown", (event) => {
    const i = Number(event.target.dataset?.feature), step = event.shiftKey ? 5 * NUDGE : NUDGE;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    if (!(event.key in moves) || Number.isNaN(i) || event.ctrlKey || event.metaKey || event.altKey) return;
    const { n, m } = app.solver, [across, up] = moves[event.key];
    set(i, [app.x[i] + across, m > 1 ? app.x[n + i] + up : 0]);
    event.preventDefault();
  });
}
