// Asking the admin API. The token is in this tab's session alone, and travels only in a header.

const KEY = "payevents.admin-token";
const PATIENCE = 10_000;

/** The token that the operator typed in; null if there is none. */
export const token = {
  get: () => sessionStorage.getItem(KEY),
  set: (given) => sessionStorage.setItem(KEY, given),
  forget: () => sessionStorage.removeItem(KEY),
};

/** The service answered, and not with what was asked for: `status`, and its own words. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Nobody answered, or not in the way of the service. */
export class Gone extends Error {}

/**
 * Return what the service tells at `path`, and its time in milliseconds since 1970.
 *
 * Throws Refused or Gone; `signal` ends it, and so do as many milliseconds as there is `patience`.
 * A 503 with data is an answer: that of what is not ready.
 */
export async function ask(path, signal, patience = PATIENCE) {
  const given = token.get();
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new Gone(`not within ${patience / 1_000} seconds`)), patience);
  signal?.addEventListener("abort", () => limit.abort(signal.reason));
  try {
    const response = await fetch(path, {
      headers: given === null ? {} : { Authorization: `Bearer ${bytes(given)}` },
      cache: "no-store",
      credentials: "same-origin",
      redirect: "error",
      signal: limit.signal,
    });
    const data = await response.json();
    if (data.error) throw new Refused(response.status, data.error.message);
    if (!response.ok && response.status !== 503) throw new Refused(response.status, "");
    return { data, now: Date.parse(response.headers.get("Date")) || Date.now() };
  } catch (error) {
    if (error instanceof Refused || error instanceof Gone) throw error;
    throw new Gone(error.message);
  } finally {
    clearTimeout(timer);
  }
}

/** A header holds bytes, one to a character; the service reads them as UTF-8. */
function bytes(text) {
  return String.fromCharCode(...new TextEncoder().encode(text));
}
