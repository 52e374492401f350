"use strict";
// Reckons what errors cost, from the counts that stand in this page and the costs that are typed in.

const data = JSON.parse(document.getElementById("data").textContent);
const element = (id) => document.getElementById(id);
const say = (id, words) => { element(id).textContent = words; };
const WIDTH = 640, HEIGHT = 200;

function fixed(value, decimals) {
  if (value === null) return "-";
  const [whole, part] = Math.abs(value).toFixed(decimals).split(".");
  const sign = value < 0 && Number(value.toFixed(decimals)) !== 0 ? "-" : "";
  return sign + whole.replace(/\B(?=(\d{3})+$)/g, ",") + (part ? "." + part : "");
}

function money(value) {
  const said = fixed(value, Math.abs(value) < 100 && !value.toFixed(2).endsWith(".00") ? 2 : 0);
  if (data.costsAgreed === false) return said + (said === "1" ? " unit" : " units");
  return data.currency + " " + said;
}

function cost(position, costs) {
  return position.low * costs.low + position.high * costs.high;
}

function cheapest(positions, costs) {
  return positions.reduce((best, each, place) => cost(each, costs) < cost(positions[best], costs) ? place : best, 0);
}

// The costs under which a position is the cheapest: as they are, or with another cost of the error that is too low.
function costsFor(position, costs) {
  const [low, high] = position.pays;
  const ratio = costs.low / costs.high;
  if (ratio >= low && (high === null || ratio <= high)) return costs;
  const middle = high === null ? 2 * low : low === 0 ? high / 2 : Math.sqrt(low * high);
  const round = Number((middle * costs.high).toPrecision(3));
  const fits = round / costs.high >= low && (high === null || round / costs.high <= high);
  return { low: fits ? round : middle * costs.high, high: costs.high };
}

function nearestThatPays(place) {
  const paying = data.model.map((_, other) => other).filter((other) => data.model[other].pays);
  return paying.reduce((best, other) => Math.abs(other - place) < Math.abs(best - place) ? other : best, paying[0]);
}

function difference(amount, here) {
  if (money(Math.abs(amount - here)) === money(0)) return "as much";
  return money(Math.abs(amount - here)) + (amount > here ? " more" : " less");
}

function showCosts(place, costs) {
  const here = cost(data.model[place], costs);
  const others = {
    present: cost(data.model[data.chosen], costs),
    simple: cost(data.simple[cheapest(data.simple, costs)], costs),
    nothing: cost(data.nothing[cheapest(data.nothing, costs)], costs),
  };
  say("here-cost", money(here));
  for (const [name, amount] of Object.entries(others)) {
    say(name + "-cost", money(amount));
    say(name + "-difference", difference(amount, here));
  }
  const best = cheapest(data.model, costs);
  say("advice", best === place
    ? "At these costs nothing is cheaper than this."
    : `At these costs ${data.model[best].label} is the cheapest: ${money(cost(data.model[best], costs))} ${data.per}.`);
  element("best").disabled = best === place;
}

function showTable(costs) {
  const amounts = data.listed.map((place) => cost(data.model[place], costs));
  const least = Math.min(...amounts);
  data.listed.forEach((place, row) => {
    say("cost-" + place, money(amounts[row]));
    say("mark-" + place, [place === data.chosen && "present", amounts[row] === least && "cheapest"].filter(Boolean).join(", "));
  });
}

function showCurve(place, costs) {
  const amounts = data.model.map((each) => cost(each, costs));
  const most = Math.max(...amounts) || 1;
  const x = (at) => data.model.length > 1 ? at / (data.model.length - 1) * WIDTH : WIDTH / 2;
  const y = (amount) => HEIGHT - Math.min(amount / most, 1) * (HEIGHT - 10);
  element("line").setAttribute("points", amounts.map((amount, at) => x(at).toFixed(1) + "," + y(amount).toFixed(1)).join(" "));
  element("simple-line").setAttribute("d", `M0 ${y(cost(data.simple[cheapest(data.simple, costs)], costs)).toFixed(1)}H${WIDTH}`);
  element("here").setAttribute("cx", x(place).toFixed(1));
  element("here").setAttribute("cy", y(amounts[place]).toFixed(1));
  say("most", money(most));
}

function showWhatToWrite(place, costs) {
  const untouched = place === data.chosen && costs.low === data.costs.low && costs.high === data.costs.high;
  const paying = untouched ? place : nearestThatPays(place);
  const needed = untouched ? costs : costsFor(data.model[paying], costs);
  say("yaml", `error_costs:\n  currency: ${data.costsAgreed === false ? "CURRENCY" : data.currency}\n  too_low: ${needed.low}\n  too_high: ${needed.high}`);
  say("why", untouched ? "These are the present ones." : paying === place
    ? "Where errors cost this, no position is cheaper than the one above."
    : `The position above is never the cheapest; ${data.model[paying].label}, next to it, is at these costs.`);
  say("agreement", `| [x] | ${data.agreed} | agree on ${data.model[paying].label} | reports/choice.html | NAME | YEAR-MONTH-DAY |`);
}

function read(id, before) {
  const field = element(id), value = Number(field.value);
  const good = field.value !== "" && Number.isFinite(value) && value > 0;
  field.setAttribute("aria-invalid", good ? "false" : "true");
  return good ? value : before;
}

let costs = { ...data.costs };

function show() {
  const place = Number(element("position").value), position = data.model[place];
  costs = { low: read("too-low", costs.low), high: read("too-high", costs.high) };
  say("label", position.label);
  element("position").setAttribute("aria-valuetext", position.label);
  position.shown.forEach((amount, column) => say("shown-" + column, fixed(amount, data.decimals[column])));
  showCosts(place, costs);
  showTable(costs);
  showCurve(place, costs);
  showWhatToWrite(place, costs);
}

function set(low, high) {
  element("too-low").value = low;
  element("too-high").value = high;
  show();
}

element("position").addEventListener("input", show);
element("too-low").addEventListener("input", show);
element("too-high").addEventListener("input", show);
element("twice").addEventListener("click", () => set(2 * costs.low, costs.high));
element("half").addEventListener("click", () => set(costs.low / 2, costs.high));
element("agreed").addEventListener("click", () => set(data.costs.low, data.costs.high));
element("best").addEventListener("click", () => {
  element("position").value = cheapest(data.model, costs);
  show();
});
element("try").hidden = false;
show();
