// Puts the page together.

function theme() {
  const button = document.getElementById("theme");
  const root = document.documentElement;
  const dark = () => (root.dataset.theme
    ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  const told = () => {
    button.textContent = dark() ? "Light" : "Dark";
    button.setAttribute("aria-label", "Show in " + (dark() ? "light" : "dark") + " colours");
  };
  try {
    const kept = localStorage.getItem("jettison-theme");
    if (kept === "dark" || kept === "light") root.dataset.theme = kept;
  } catch {
    // Some browsers keep nothing for files.
  }
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    told();
    try {
      localStorage.setItem("jettison-theme", root.dataset.theme);
    } catch {
      // The same.
    }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", told);
  told();
}

// The directory that the address names, if it names one.
function fromAddress() {
  if (location.hash && !location.hash.startsWith("#/")) return;
  try {
    map.at = nodeAt(decodeURI(location.hash.slice(1)));
  } catch {
    map.at = 0;
  }
}

theme();
const pages = { analysis: analysisPage, diff: diffPage, gate: gatePage };
document.getElementById("main").append(...pages[DATA.view]());
fromAddress();
window.addEventListener("hashchange", () => {
  fromAddress();
  draw();
});
refresh();
document.documentElement.dataset.ready = "yes";
