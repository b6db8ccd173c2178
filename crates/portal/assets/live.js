// Only in served pages: reloads the page when its server has another state. A page that nobody sees holds no connection,
// since a browser opens six to one server at most; it looks again when it is shown.
(() => {
  const { state } = document.currentScript.dataset;
  let events = null;
  const leave = () => {
    events?.close();
    events = null;
  };
  const listen = () => {
    if (document.hidden) return leave();
    if (events !== null) return;
    events = new EventSource("/.trueup/events");
    events.addEventListener("state", ({ data }) => {
      if (data === state) return;
      leave();
      window.location.reload();
    });
  };
  document.addEventListener("visibilitychange", listen);
  window.addEventListener("pageshow", listen);
  window.addEventListener("pagehide", leave);
  listen();
})();
