// One sitting: a name, then pair after pair. Both videos start together; choosing opens when both were seen whole.

const $ = (id) => document.getElementById(id);
const token = new URLSearchParams(location.search).get("token") ?? "";
const videos = [$("left"), $("right")];
const buttons = [...document.querySelectorAll("[data-choice]")];
const KEYS = { ArrowLeft: "left", ArrowDown: "same", ArrowRight: "right" };

let task = null;
let unseen = new Set();

async function ask(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Token": token },
    body: JSON.stringify(body ?? {}),
  }).catch(() => {
    throw new Error("the program behind this page has ended: start `facewire compare --ab` again");
  });
  if (!answer.ok) {
    const { detail } = await answer.json().catch(() => ({}));
    throw new Error(typeof detail === "string" ? detail : `the program behind this page refused (${answer.status})`);
  }
  return answer.status === 204 ? null : answer.json();
}

function tell(words) {
  $("problem").textContent = words ?? "";
  $("problem").hidden = !words;
}

async function attempt(action) {
  try {
    tell(null);
    await action();
  } catch (error) {
    tell(error.message);
  }
}

function view(id) {
  for (const each of ["welcome", "task", "done"]) $(each).hidden = each !== id;
}

function allow(on) {
  for (const button of buttons) button.disabled = !on;
  $("hint").textContent = on ? "Choose, or look again." : "Watch both to the end once, then choose.";
}

function show(next) {
  task = next;
  $("progress").value = (task.number - 1) / task.total;
  if (!task.left) {
    $("done-words").textContent = `All ${task.total} pairs are rated. Your choices are written down.`;
    view("done");
    return;
  }
  $("question").textContent = task.question;
  $("count").textContent = `${task.number} of ${task.total}`;
  document.title = `${task.number} of ${task.total}: ${task.question}`;
  allow(false);
  unseen = new Set(videos);
  videos[0].src = `/video/${task.left}`;
  videos[1].src = `/video/${task.right}`;
  view("task");
  ready().then(play, () => {});
}

// Both can play to their end, or one of them cannot play at all.
function ready() {
  const of = task;
  return Promise.all(
    videos.map(
      (video) =>
        new Promise((resolve) => {
          if (video.readyState >= 4) resolve();
          else video.addEventListener("canplaythrough", resolve, { once: true });
        }),
    ),
  ).then(() => (of === task ? undefined : Promise.reject(new Error("another pair is shown"))));
}

function play() {
  for (const video of videos) {
    video.currentTime = 0;
    video.play().catch(() => tell("this browser does not play the videos by itself: press Play again"));
  }
}

function choose(choice) {
  if (!task?.left || $("task").hidden || unseen.size > 0) return;
  unseen = new Set(videos); // a second press must not answer the next pair
  allow(false);
  attempt(async () => show(await ask("/answer", { number: task.number, choice })));
}

for (const video of videos) {
  video.addEventListener("ended", () => {
    unseen.delete(video);
    if (unseen.size === 0) allow(true);
    if (videos.every((each) => each.ended)) play(); // and again, together
  });
  video.addEventListener("error", () => {
    if (video.src) tell("this browser cannot play one of the videos: it needs H.264 in MP4");
  });
}
for (const button of buttons) button.addEventListener("click", () => choose(button.dataset.choice));
$("again").addEventListener("click", play);
$("end").addEventListener("click", () =>
  attempt(async () => {
    await ask("/end");
    $("done-words").textContent = "You may close this tab.";
    $("end").hidden = true;
  }),
);
$("welcome").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => show(await ask("/start", { rater: $("rater").value })));
});
document.addEventListener("keydown", (event) => {
  if ($("task").hidden || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key in KEYS) {
    event.preventDefault();
    choose(KEYS[event.key]);
  } else if (event.key.toLowerCase() === "r") play();
});
$("rater").focus();
