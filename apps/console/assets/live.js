/**
 * Keeps an open page current while somebody sees it. The script asks every few seconds for the
 * page's change token. After a change it fetches the page's content, and updates the elements with
 * an ID and `data-live`. An element that somebody may be using does not move: a notice offers to
 * show the change.
 */
const ASK_EVERY_MS = 3_000;
const LONGEST_WAIT_MS = 60_000;
const GIVE_UP_MS = 10_000;

const notice = document.getElementById('notice');
const tokenAddress = `${location.pathname.replace(/\/$/, '')}/change-token${location.search}`;
// Null at first: the page may have changed since it was read.
let token = null;
let content = '';
let waitMs = ASK_EVERY_MS;
let timer = 0;
let asking = false;

async function ask() {
  if (asking || document.hidden) return;
  asking = true;
  clearTimeout(timer);
  const state = await refresh().catch(({ status }) => (status === 401 ? 'ended' : 'away'));
  say(state);
  // For good: the forms of this page belong to the ended session.
  if (state === 'ended') return;
  waitMs = state === 'away' ? Math.min(waitMs * 2, LONGEST_WAIT_MS) : ASK_EVERY_MS;
  timer = setTimeout(ask, waitMs);
  asking = false;
}

/** @returns the notice that the page needs */
async function refresh() {
  const latest = await read(tokenAddress);
  if (latest !== token) {
    content = await read(location.href);
    token = latest;
  }
  return update() ? 'changed' : 'current';
}

/** The header: it neither renews the session nor consumes a message. */
async function read(address) {
  const signal = AbortSignal.timeout(GIVE_UP_MS);
  const response = await fetch(address, { headers: { 'x-payonce-refresh': '1' }, signal });
  if (response.ok) return response.text();
  throw Object.assign(new Error('not current'), { status: response.status });
}

/** @returns whether an element stays as it was, because somebody may be using it */
function update(mayMove = (element) => !isInUse(element)) {
  const page = new DOMParser().parseFromString(content, 'text/html');
  const changes = [...document.querySelectorAll('[data-live]')]
    .map((old) => [old, page.getElementById(old.id)])
    .filter(([old, fresh]) => fresh !== null && !old.isEqualNode(fresh));
  const now = changes.filter(([old]) => mayMove(old));
  for (const [old, fresh] of now) replace(old, fresh);
  if (now.length > 0) document.dispatchEvent(new Event('payonce:fresh'));
  return now.length < changes.length;
}

function isInUse(element) {
  const selection = getSelection();
  return (
    element.querySelector('form, input') !== null ||
    element.contains(document.activeElement) ||
    (!selection.isCollapsed && selection.containsNode(element, true))
  );
}

/** Replaces only what differs: a table stays where it was scrolled to. */
function replace(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  const [before, after] = [[...old.childNodes], [...fresh.childNodes]];
  const isSame = old.cloneNode().isEqualNode(fresh.cloneNode());
  if (isSame && before.length === after.length) {
    for (const [index, child] of before.entries()) replace(child, after[index]);
  } else old.replaceWith(fresh);
}

function say(state) {
  for (const line of notice.children) line.hidden = line.dataset.when !== state;
}

notice.querySelector('button').addEventListener('click', () => {
  update(() => true);
  say('current');
  document.getElementById('main').focus({ preventScroll: true });
});
document.addEventListener('visibilitychange', ask);
ask();
