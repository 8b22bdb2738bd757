// Tells an open page what has changed since it was made: a line to click, never a list that moves under the reader.
//
// Rules:
// 1. One tab of a browser keeps the stream (a lock of the browser's), the others hear from it: a browser opens six
//    connections to a server at most, and tabs are many. It goes on while the tab is in the background.
// 2. Events say what kind of thing has changed. The words come from the server, in the reader's language, as text.
// 3. Sound is off until somebody asks for it; a browser that wants a click before it plays any is said to.
"use strict";

(() => {
  const strip = document.getElementById("live");
  if (!strip) return;
  const said = strip.dataset;
  const state = strip.querySelector("p.live-state");
  const news = strip.querySelector(".news");
  const changed = strip.querySelector(".changed");
  const banners = strip.querySelector(".live-banners");
  const button = strip.querySelector(".live-sound");
  const title = document.title;
  const tabs = "BroadcastChannel" in window ? new BroadcastChannel("ncp-bridge live") : null;
  let newest = document.querySelector("#board[data-newest]")?.dataset.newest || said.newest;
  let count = 0;
  let stream = null;
  let now = null;

  const show = (next) => {
    now = next;
    const [kind, text] = {
      connected: ["", said.connected],
      reconnecting: ["waits", said.reconnecting],
      broker: ["stopped", said.noBroker],
      ended: ["stopped", said.ended],
    }[next];
    state.className = `live-state ${kind}`;
    const place = state.querySelector(".live-text");
    if (place.textContent !== text) place.textContent = text;
    state.hidden = false;
  };
  const showEverywhere = (next) => {
    show(next);
    tabs?.postMessage({ state: next });
  };
  const end = () => {
    stream?.close();
    stream = null;
    showEverywhere("ended");
  };

  // Somebody signs out: nothing is asked for any more, or it would be refused.
  const leaving = new AbortController();
  document.addEventListener("ncp:leaves", () => {
    leaving.abort();
    end();
  });

  // What the server says now. Asked again at most once at a time; what comes meanwhile asks once more afterwards.
  let asking = false;
  let again = false;
  const ask = async (address, use) => {
    const answer = await fetch(address, { headers: { "NCP-Background": "1" }, cache: "no-store", signal: leaving.signal });
    if (answer.status === 401) end();
    else if (answer.ok) use(await answer.json());
  };
  const askNews = async () => {
    if (now === "ended") return;
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    try {
      do {
        again = false;
        await ask(`${said.news}?after=${encodeURIComponent(newest ?? "")}`, showNews);
      } while (again);
    } catch {
      // The server is away: the stream says so, and asks when it is back.
    } finally {
      asking = false;
    }
  };
  const showNews = (found) => {
    if (!newest && found.newest !== null) newest = String(found.newest);
    if (found.count > count) play();
    count = found.count;
    news.textContent = found.text;
    news.hidden = !count;
    document.title = count ? `(${count}) ${title}` : title;
    banners.replaceChildren(
      ...found.banners.map(({ level, text, address }) => {
        const line = document.createElement("a");
        line.className = `live-line ${level}`;
        line.href = address;
        line.textContent = text;
        const item = document.createElement("li");
        item.append(line);
        return item;
      }),
    );
  };
  const askChanged = () =>
    ask(said.changed, ({ text, label, address }) => {
      changed.textContent = text ? `${text} ${label}` : "";
      changed.href = address;
      changed.hidden = !text;
    }).catch(() => {});

  const hear = (topic, { id, receives }) => {
    const anything = topic === "anything";
    if (topic === "broker") show(receives ? "connected" : "broker");
    if (anything || ["inbox", "message", "answers", "handover"].includes(topic)) askNews();
    if (topic === "answers") play();
    if (said.changed && (anything || (topic === "message" && id === said.message))) askChanged();
    document.dispatchEvent(new CustomEvent("ncp:changed", { detail: { topic, id } }));
  };

  const topics = ["anything", "inbox", "message", "sent", "draft", "answers", "handover", "queues", "broker"];
  const open = () => {
    if (now === "ended") return;
    stream = new EventSource(said.events);
    for (const topic of topics) {
      stream.addEventListener(topic, (event) => {
        const about = JSON.parse(event.data);
        hear(topic, about);
        tabs?.postMessage({ topic, about });
      });
    }
    stream.addEventListener("ended", end);
    stream.addEventListener("open", () => {
      showEverywhere("connected");
      askNews();
    });
    stream.addEventListener("error", () => {
      if (!stream) return;
      showEverywhere("reconnecting");
      if (stream.readyState !== EventSource.CLOSED) return; // it tries again by itself
      stream = null;
      askNews().then(() => now !== "ended" && setTimeout(open, 10000));
    });
  };
  tabs?.addEventListener("message", ({ data }) => {
    if (data.ask && stream) tabs.postMessage({ state: now });
    if (data.state) show(data.state);
    if (data.topic) hear(data.topic, data.about);
  });
  if (navigator.locks && tabs) {
    navigator.locks.request("ncp-bridge live", () => {
      open();
      return new Promise(() => {});
    });
    tabs.postMessage({ ask: true });
  } else {
    open();
  }
  askNews();

  // Two tones. Of several tabs the one that comes first plays them.
  let sound = null;
  const wanted = () => localStorage.getItem("ncp-bridge sound") === "on";
  const showSound = () => {
    if (!button) return;
    const waits = wanted() && sound?.state !== "running";
    button.textContent = wanted() ? (waits ? said.soundWaits : said.soundOn) : said.soundOff;
    button.setAttribute("aria-pressed", String(wanted()));
    button.hidden = !("AudioContext" in window);
  };
  const allow = () => {
    if (!wanted()) return;
    sound ??= new AudioContext();
    sound.onstatechange = showSound;
    sound.resume().catch(() => {});
  };
  const tones = () => {
    for (const [after, pitch] of [[0, 660], [0.25, 880]]) {
      const tone = new OscillatorNode(sound, { frequency: pitch });
      const loudness = new GainNode(sound, { gain: 0 });
      const start = sound.currentTime + after;
      loudness.gain.setValueAtTime(0, start);
      loudness.gain.linearRampToValueAtTime(0.25, start + 0.02);
      loudness.gain.linearRampToValueAtTime(0, start + 0.2);
      tone.connect(loudness).connect(sound.destination);
      tone.start(start);
      tone.stop(start + 0.22);
    }
    return new Promise((done) => setTimeout(done, 2000));
  };
  const play = () => {
    if (!button || !wanted() || sound?.state !== "running") return;
    if (!navigator.locks) tones();
    else navigator.locks.request("ncp-bridge sound", { ifAvailable: true }, (mine) => (mine ? tones() : null));
  };
  button?.addEventListener("click", () => {
    const turnsOn = !wanted() || sound?.state !== "running";
    localStorage.setItem("ncp-bridge sound", turnsOn ? "on" : "off");
    if (turnsOn) {
      allow();
      tones();
    }
    showSound();
  });
  for (const touch of ["pointerdown", "keydown"]) document.addEventListener(touch, allow, { passive: true });
  showSound();
})();
