// The server, as functions. What it refuses is thrown as an Error with its message.

export class Refused extends Error {
  constructor(status, {type, message, path}) {
    super(message);
    Object.assign(this, {status, type, path});
  }
}

async function call(method, path, body, headers = {}) {
  const options = {method, headers};
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    headers['Content-Type'] = 'application/json';
  }
  const answer = await fetch(`/api/${path}`, options);
  if (answer.status === 204) return null;
  const said = await answer.json().catch(() => ({error: {type: 'HTTPError', message: `the server answered ${answer.status}`}}));
  if (!answer.ok) throw new Refused(answer.status, said.error);
  return said;
}

export const session = () => call('POST', 'session');
export const sources = () => call('GET', 'sources');
export const removeSource = id => call('DELETE', `sources/${id}`);
export const exportsNow = () => call('GET', 'exports');
export const estimate = request => call('POST', 'estimate', request);
export const cancel = id => call('POST', `exports/${id}/cancel`);
export const remove = id => call('DELETE', `exports/${id}`);

/** Ask for an export. Where the answer is lost it is asked for again, and made once: the key says that it is the same. */
export async function start(request) {
  const key = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
  for (let tries = 0; ; tries += 1) {
    try {
      return await call('POST', 'exports', request, {'Idempotency-Key': key});
    } catch (error) {
      if (error instanceof Refused || tries === 4) throw error;
      await pause(1000);
    }
  }
}

/** Upload a file; told(share) as it goes. Returns {done: Promise, abort()}. */
export function upload(file, told) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.upload.onprogress = event => told(event.lengthComputable ? event.loaded / event.total : 0);
    request.onload = () => {
      let said = null;
      try { said = JSON.parse(request.responseText); } catch { /* not ours */ }
      if (request.status === 201) resolve(said);
      else reject(new Refused(request.status, said?.error ?? {message: `the server answered ${request.status}`}));
    };
    request.onerror = () => reject(new Error('The upload broke off: the server is away, or the video too large for it.'));
    request.onabort = () => resolve(null);
    request.open('POST', `/api/sources?name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader('Content-Type', file.type || 'application/octet-stream');
    request.send(file);
  });
  return {done, abort: () => request.abort()};
}

/** Follow an export until it has ended, over any number of lost connections and restarts of the server. */
export async function follow(id, told) {
  const address = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/exports/${id}/progress`;
  for (let wait = 500; ; wait = Math.min(2 * wait, 5000)) {
    const last = await new Promise(resolve => {
      let seen = null;
      const socket = new WebSocket(address);
      socket.onmessage = event => { wait = 500; told(seen = JSON.parse(event.data)); };
      socket.onclose = event => resolve(event.code === 1008 ? {status: 'gone'} : seen);
    });
    if (last && !['queued', 'running'].includes(last.status)) return last;
    await pause(wait);
  }
}

const pause = ms => new Promise(resolve => { setTimeout(resolve, ms); });
