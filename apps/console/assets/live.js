/**
 * Keeps an open page as it is on the server. "There is something new" comes as a server-sent event; then
 * the page is fetched again, and what bears an ID and `data-live` is replaced by what came. A page that
 * nobody sees is left alone.
 */
const main = document.querySelector('[data-live-from]');
let source = null;
let reading = false;
let again = false;

function watch() {
  if (document.hidden) {
    source?.close();
    source = null;
  } else if (source === null) {
    source = new EventSource(main.dataset.liveFrom);
    source.addEventListener('change', refresh);
    // It was ended for good: the session is over, or there are too many streams.
    source.addEventListener('error', () => source?.readyState === EventSource.CLOSED && refresh());
  }
}

async function refresh() {
  if (reading) {
    again = true;
    return;
  }
  reading = true;
  try {
    const response = await fetch(location.href, {
      headers: { accept: 'text/html', 'x-payonce-refresh': '1' },
    });
    // The session is over: what is shown would be old from now on.
    if (response.redirected) location.reload();
    else if (response.ok) replace(await response.text());
  } catch {
    // The console is away; the event source tries again by itself.
  }
  reading = false;
  if (again) {
    again = false;
    refresh();
  }
}

function replace(text) {
  const page = new DOMParser().parseFromString(text, 'text/html');
  for (const fresh of page.querySelectorAll('[data-live][id]')) {
    const old = document.getElementById(fresh.id);
    // Nothing is pulled away from under somebody's fingers.
    if (old === null || old.contains(document.activeElement)) continue;
    if (old.innerHTML !== fresh.innerHTML) old.replaceChildren(...fresh.childNodes);
  }
  document.dispatchEvent(new Event('payonce:fresh'));
}

document.addEventListener('visibilitychange', () => {
  watch();
  if (!document.hidden) refresh();
});
watch();
