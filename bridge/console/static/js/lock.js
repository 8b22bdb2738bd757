// Locks the page when nobody is at it, as the node locks the session: what was being written is sent to be kept, and the
// page is gone. The node would do the same without this, only later and without the form.
"use strict";

(() => {
  const lock = document.getElementById("lock");
  if (!lock) return;
  const note = document.getElementById("lock-note");
  const idle = Number(lock.dataset.idleSeconds) * 1000;
  const between = Math.min(20000, idle / 10); // how often the node hears that somebody types
  const warned = Math.min(60000, idle / 5); // before the end
  const channel = new BroadcastChannel("ncp-bridge");
  let used = Date.now();
  let told = used;
  let written = null;

  // Signing out here or in another tab: what this page asks on its own would only be refused from now on.
  const leaving = new AbortController();
  const leave = () => {
    leaving.abort();
    document.dispatchEvent(new Event("ncp:leaves"));
  };

  const lockNow = () => {
    document.documentElement.hidden = true;
    lock.elements.next.value = location.pathname + location.search;
    if (written && written.isConnected) {
      lock.elements.action.value = new URL(written.getAttribute("action") ?? "", location).pathname; // a field may be called action
      lock.elements.fields.value = new URLSearchParams([...new FormData(written)].filter(([, value]) => typeof value === "string"));
    }
    lock.submit();
  };

  const look = () => {
    const left = idle - between - (Date.now() - used);
    note.hidden = left > warned;
    if (left <= 0) lockNow();
  };

  const use = () => {
    if (Date.now() - used >= idle) return look(); // a machine that slept
    used = Date.now();
    note.hidden = true;
    if (used - told < between) return;
    told = used;
    channel.postMessage("used");
    const headers = { "x-csrf-token": lock.elements.csrf.value };
    fetch(lock.dataset.stay, { method: "POST", headers, redirect: "manual", signal: leaving.signal }).catch(() => {});
  };

  channel.onmessage = ({ data }) => {
    if (data === "used") used = Date.now();
    if (data !== "left") return;
    leave();
    location.replace(lock.dataset.ended);
  };
  channel.postMessage("used");
  for (const event of ["keydown", "pointerdown", "input", "wheel"]) addEventListener(event, use, { passive: true });
  addEventListener("input", ({ target }) => {
    const form = target.form;
    if (form?.method === "post" && !form.querySelector("[type=password]")) written = form;
  });
  addEventListener("submit", ({ target }) => {
    written = null;
    if (!target.matches(".leaves")) return;
    leave();
    channel.postMessage("left");
  });
  addEventListener("visibilitychange", look);
  setInterval(look, 2000);
})();
