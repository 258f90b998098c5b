// Times in the reader's zone, a question before what can't be taken back lightly, a job's progress, and how
// the newest submission stands.
// Every page works without this file.
"use strict";

function localTimes(root) {
  const parts = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
  const near = new Intl.DateTimeFormat(undefined, parts);
  const far = new Intl.DateTimeFormat(undefined, { ...parts, year: "numeric" });
  const zone = near.resolvedOptions().timeZone;
  const now = new Date(document.body.dataset.now);
  for (const each of root.querySelectorAll("time[datetime]")) {
    const when = new Date(each.dateTime);
    if (Number.isNaN(when.getTime())) continue;
    each.title = `${each.textContent} in the course's time zone`;
    each.textContent = (Math.abs(when - now) < 180 * 86400e3 ? near : far).format(when);
  }
  const told = document.getElementById("zone");
  if (told && zone) told.textContent = `Times are in your time zone, ${zone}; point at one for the course's.`;
}

function askFirst(event) {
  const words = event.target.dataset.confirm;
  if (words && !window.confirm(words)) event.preventDefault();
}

function onlyOnce(event) {
  if (event.defaultPrevented || event.target.method !== "post") return;
  for (const button of event.target.querySelectorAll("button")) button.disabled = true;
}

// A page that the browser kept comes back with its buttons as they were.
function enableAgain(event) {
  if (event.persisted) for (const button of document.querySelectorAll("form button")) button.disabled = false;
}

function cell(kind, label, text) {
  const made = document.createElement(kind);
  if (label) made.dataset.label = label;
  made.textContent = text;
  return made;
}

function number(value) {
  return value === null || value === undefined ? "–" : String(Math.round(value * 100) / 100);
}

function duration(seconds) {
  if (seconds < 60) return "less than a minute";
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `about ${minutes} minute${minutes > 1 ? "s" : ""}` : `about ${Math.round(minutes / 60)} hours`;
}

class JobView {
  constructor(root) {
    this.root = root;
    this.expected = Number(root.dataset.expected);
    this.done = Number(root.dataset.done);
    this.before = this.done;
    this.faults = Number(root.dataset.faults);
    this.since = Date.now();
    this.drawing = false;
  }

  follow() {
    const source = new EventSource(this.root.dataset.events);
    source.addEventListener("message", (message) => this.take(JSON.parse(message.data)));
    source.addEventListener("end", () => {
      source.close();
      window.location.replace(window.location.pathname);
    });
  }

  take(event) {
    if (event.event === "found") this.expected += event.jobs;
    else if (event.event === "written") this.done += 1;
    else if (event.event === "sent") this.done = event.done;
    else if (event.event === "attempt") this.attempt(event);
    this.draw();
  }

  attempt(event) {
    this.done += 1;
    if (event.state === "fault") this.faults += 1;
    const table = document.getElementById("attempts");
    const row = document.createElement("tr");
    const name = cell("th", "", event.student);
    name.scope = "row";
    const points = cell("td", "Points", event.state === "fault" ? "–" : `${number(event.points)} / ${number(event.max_points)}`);
    points.className = "num";
    const seconds = cell("td", "Seconds", number(event.wall_seconds));
    seconds.className = "num";
    row.append(name, points, cell("td", "Verdict", event.state === "graded" ? event.verdict : event.state), seconds);
    table.tBodies[0].prepend(row);
    while (table.tBodies[0].rows.length > 200) table.tBodies[0].deleteRow(-1);
    table.hidden = false;
    document.getElementById("nothing").hidden = true;
  }

  // At most four times a second, so that a screen reader and a slow phone can keep up.
  draw() {
    if (this.drawing) return;
    this.drawing = true;
    setTimeout(() => {
      this.drawing = false;
      const bar = document.getElementById("bar");
      if (this.expected) {
        bar.max = this.expected;
        bar.value = this.done;
      }
      const faults = this.faults ? `, ${this.faults} fault${this.faults > 1 ? "s" : ""}` : "";
      document.getElementById("told").textContent = `${this.done} of ${this.expected}${faults}`;
      document.getElementById("left").textContent = this.left();
    }, 250);
  }

  left() {
    const fresh = this.done - this.before;
    const remaining = this.expected - this.done;
    if (fresh < 3 || remaining <= 0) return "";
    const each = (Date.now() - this.since) / 1000 / fresh;
    return `${duration(each * remaining)} left`;
  }
}

// What the page says of the newest submission, put in the place of what it said when it changes.
class StandingView {
  constructor(root) {
    this.root = root;
    this.mark = root.dataset.mark;
    this.looking = false;
  }

  follow() {
    const source = new EventSource(this.root.dataset.events);
    source.addEventListener("message", (message) => {
      if (message.data !== this.mark) this.look(source);
    });
  }

  async look(source) {
    if (this.looking) {
      this.missed = true; // the page that is on its way may have been made before this change
      return;
    }
    this.looking = true;
    this.missed = false;
    try {
      const answer = await fetch(window.location.pathname, { headers: { "X-XSRFToken": this.root.dataset.token } });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("standing");
      localTimes(fresh);
      this.root.replaceChildren(...fresh.childNodes);
      const told = document.getElementById("told");
      document.getElementById("said").textContent = told ? told.textContent : "Feedback has come.";
      this.mark = fresh.dataset.mark;
      if (!fresh.dataset.events) source.close();
    } finally {
      this.looking = false;
      if (this.missed && source.readyState !== EventSource.CLOSED) this.look(source);
    }
  }
}

document.addEventListener("submit", askFirst);
document.addEventListener("submit", onlyOnce);
window.addEventListener("pageshow", enableAgain);
localTimes(document);
const standing = document.getElementById("standing");
if (standing && standing.dataset.events) new StandingView(standing).follow();
const job = document.getElementById("job");
if (job && job.dataset.events) new JobView(job).follow();
