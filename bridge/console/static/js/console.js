// What every page of the console does in a browser. Pages work without it.
//
// Rules:
// 1. Markup becomes part of a page only through the policy `ncp-bridge`, which refuses what could run: scripts, handlers
//    in attributes, `javascript:` addresses, frames and plug-ins.
// 2. htmx compiles no code from attributes.
"use strict";

(() => {
  const RUNS = "iframe, frame, object, embed, base, meta[http-equiv]";
  const OWN_SCRIPT = /^\/static\/[0-9a-f]{16}\/js\/[a-z0-9/._-]+$/;
  const HANDLER = /^(on|(data-)?hx-on|srcdoc$)/i;
  const ADDRESS = /^((xlink:)?href|src|(form)?action|to|from|values|(data-)?hx-.*)$/i;
  const CODE = /^(javascript|js|vbscript):/i;

  const attributeRuns = ({ name, value }) =>
    HANDLER.test(name) || (ADDRESS.test(name) && CODE.test(value.replace(/[\u0000-\u0020]/g, "")));

  const elementRuns = (element) =>
    element.matches(RUNS) ||
    (element.localName === "script" && !(OWN_SCRIPT.test(element.getAttribute("src") ?? "") && !element.textContent)) ||
    [...element.attributes].some(attributeRuns);

  const whatRuns = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (elementRuns(element)) return element.localName;
      const within = element.localName === "template" ? whatRuns(element.content) : null;
      if (within) return within;
    }
    return null;
  };

  // Looking at markup means parsing it, in a document that never runs anything; that needs the policy's own leave.
  let isLooking = false;
  const checked = (text) => {
    if (isLooking) return text;
    isLooking = true;
    let found;
    try {
      found = whatRuns(new DOMParser().parseFromString(policy.createHTML(text), "text/html"));
    } finally {
      isLooking = false;
    }
    if (found) throw new TypeError(`refused: <${found}> could run`);
    return text;
  };
  const checks = { createHTML: checked, createScript: () => "" };
  const policy = window.trustedTypes ? trustedTypes.createPolicy("ncp-bridge", checks) : checks;

  const refusesCode = function refusesCode() {
    throw new TypeError("refused: code in an attribute");
  };

  htmx.registerExtension("ncp-bridge", { init: (api) => api.initSecurity(policy, refusesCode, refusesCode) });
})();
