// What takes several calls from WebAssembly takes one here: a call costs little, the objects and strings it carries cost more.
// Each shape below is the fastest of those measured in workerd (see the README).

const encoder = new TextEncoder();
const scratch = new Uint8Array(16 * 1024);

// Text goes into WebAssembly as UTF-8: the generated glue copies a string character by character.
function utf8(text) {
  // A UTF-16 unit takes at most three bytes.
  return text.length * 3 <= scratch.length
    ? scratch.subarray(0, encoder.encodeInto(text, scratch).written)
    : encoder.encode(text);
}

// The head of a message travels as text: leading lines, then a line for each name and each value. Neither can hold a line
// break.

function headersText(headers) {
  let text = "";
  headers.forEach((value, name) => {
    text += `\n${name}\n${value}`;
  });
  return text;
}

// A record takes the runtime a third of the time that a list of pairs does, but holds a name once.
function headersOf(lines, from) {
  const record = { __proto__: null };
  let repeated;
  for (let i = from; i + 1 < lines.length; i += 2) {
    const name = lines[i];
    if (record[name] === undefined) record[name] = lines[i + 1];
    else (repeated ??= []).push(i);
  }
  if (repeated === undefined) return record;
  const headers = new Headers(record);
  for (const i of repeated) headers.append(lines[i], lines[i + 1]);
  return headers;
}

export function requestHead(request) {
  return utf8(`${request.method}\n${request.url}${headersText(request.headers)}`);
}

// Resolves once the client has gone.
export async function gone({ signal }) {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}

export function responseHead(response) {
  return utf8(`${response.status}${headersText(response.headers)}`);
}

// `body` is a view of WebAssembly's memory, which may move or change while the request is on its way.
export async function send(head, body, signal) {
  const lines = head.split("\n");
  return fetch(lines[1], {
    method: lines[0],
    headers: headersOf(lines, 2),
    body: body && body.slice(),
    redirect: "manual",
    signal,
  });
}

function response(head, body, webSocket) {
  const lines = head.split("\n");
  return new Response(body, { status: Number(lines[0]), headers: headersOf(lines, 1), webSocket });
}

export function respondBytes(head, body) {
  return response(head, body && body.slice());
}

export function respondStream(head, stream) {
  return response(head, stream);
}

export function respondWebSocket(head, socket) {
  return response(head, null, socket);
}

// A body's owner is a request, a response, or the stream itself. Asking for its stream makes one, so nobody asks early whether
// there is any.
export function streamOf(owner) {
  return owner instanceof ReadableStream ? owner : owner.body;
}

export function readerOf(owner) {
  return streamOf(owner)?.getReader();
}

// Who collects a body holds its lock: only this reader can give it up.
const collecting = new WeakMap();

// Resolves to the bytes, or to undefined past the limit. A trusted length is within the limit and cannot be exceeded.
export function collect(owner, limit, trusted) {
  return trusted ? owner.arrayBuffer() : collectPieces(owner, limit);
}

async function collectPieces(owner, limit) {
  const reader = readerOf(owner);
  if (reader === undefined) return new ArrayBuffer(0);
  collecting.set(owner, reader);
  const pieces = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.byteLength;
    if (length > limit) {
      reader.cancel().catch(() => {});
      return undefined;
    }
    pieces.push(value);
  }
  if (pieces.length === 1) return pieces[0];
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}

// Resolves to the next piece, or to undefined at the end.
export async function read(reader) {
  const { value } = await reader.read();
  return value;
}

export function cancelReader(reader) {
  reader.cancel().catch(() => {});
}

export function cancelBody(owner) {
  (collecting.get(owner) ?? streamOf(owner))?.cancel().catch(() => {});
}

// What crosses is the copy into WebAssembly's memory.
export function bytes(value) {
  return value instanceof ArrayBuffer ? new Uint8Array(value) : value;
}

export function stringify(value) {
  const text = JSON.stringify(value);
  return text === undefined ? undefined : utf8(text);
}

export function randomU64() {
  return crypto.getRandomValues(new BigUint64Array(1))[0];
}

export class Timer {
  constructor(milliseconds) {
    this.elapsed = new Promise((resolve) => {
      this.id = setTimeout(resolve, milliseconds);
    });
  }

  clear() {
    clearTimeout(this.id);
  }
}

// Whatever was thrown, as three lines: name, code, and the flags that the runtime sets; then the message, which may have lines
// of its own.
export function explain(thrown) {
  const of = (name) => {
    try {
      const value = thrown[name];
      return value === undefined || value === null ? "" : String(value);
    } catch {
      return "";
    }
  };
  const line = (name) => of(name).replaceAll("\n", " ");
  if (typeof thrown !== "object" || thrown === null) return `\n\n\n${String(thrown)}`;
  return `${line("name")}\n${line("code")}\n${line("retryable")}\n${of("message") || String(thrown)}`;
}

// The raw response keeps the status, the identifiers in its headers and the digits of numbers.
export async function aiRun(ai, model, inputs, options, signal) {
  return ai.run(model, JSON.parse(inputs), { ...JSON.parse(options), returnRawResponse: true, signal });
}

export async function aiToMarkdown(ai, name, type, bytes) {
  const converted = await ai.toMarkdown([{ name, blob: new Blob([bytes], { type }) }]);
  return encoder.encode(JSON.stringify(converted));
}

export async function aiMarkdownSupported(ai) {
  return encoder.encode(JSON.stringify(await ai.toMarkdown().supported()));
}

export async function vectorize(index, operation, args) {
  return encoder.encode(JSON.stringify(await index[operation](...JSON.parse(args))));
}

export function bindingType(env, name) {
  const binding = env[name];
  if (binding === undefined || binding === null) return "";
  return typeof binding === "object" || typeof binding === "function" ? binding.constructor?.name || "object" : typeof binding;
}

// A stream whose pieces come from `pull`, a promise of a Uint8Array or of undefined at the end, one at a time and on demand.
export function streamFrom(pull, cancel) {
  return new ReadableStream(
    {
      async pull(controller) {
        const piece = await pull();
        if (piece === undefined) controller.close();
        else controller.enqueue(piece);
      },
      cancel() {
        cancel();
      },
    },
    { highWaterMark: 0 },
  );
}

// AES-256-GCM: rejects with nothing but an `OperationError` for what was not sealed with this key, nonce and data.
export async function aesGcm(seal, key, nonce, data, bytes) {
  const imported = await crypto.subtle.importKey("raw", key, "AES-GCM", false, [seal ? "encrypt" : "decrypt"]);
  const how = { name: "AES-GCM", iv: nonce, additionalData: data };
  return new Uint8Array(await crypto.subtle[seal ? "encrypt" : "decrypt"](how, imported, bytes));
}

const SIGNATURES = {
  HS256: { name: "HMAC", hash: "SHA-256" },
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  ES256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
};

// Whether a signature is the key's (a JWK as text); rejects for a key that is none.
export async function verify(algorithm, jwk, signature, message) {
  const how = SIGNATURES[algorithm];
  const key = await crypto.subtle.importKey("jwk", JSON.parse(jwk), how, false, ["verify"]);
  return crypto.subtle.verify(how, key, signature, message);
}

// Resolves to the signature, RSASSA-PKCS1-v1_5 with SHA-256. Both are views of WebAssembly's memory, which may move or change meanwhile.
export async function signRs256(pkcs8, message) {
  const text = message.slice();
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("pkcs8", pkcs8.slice(), algorithm, false, ["sign"]);
  return crypto.subtle.sign(algorithm.name, key, text);
}

const [TEXT, BINARY, CLOSE, FAILED] = [0, 1, 2, 3];

// One end of a WebSocket. The runtime does not wait for whoever reads its messages, so they wait here, up to a number of bytes.
export class Socket {
  #socket;
  #queue = [];
  #held = 0;
  #wake = () => {};

  constructor(socket, limit) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    let over = false;
    const arrived = (kind, data, size, code = 0) => {
      if (over) return;
      this.#held += size;
      over = this.#held > limit;
      if (over) {
        this.#queue = [{ kind: FAILED, data: `more than ${limit} bytes wait to be read`, size: 0, code: 1009 }];
        this.close(1009, "too much at once");
      } else this.#queue.push({ kind, data, size, code });
      this.#wake();
    };
    socket.addEventListener("message", ({ data }) => {
      if (typeof data === "string") arrived(TEXT, data, data.length);
      else arrived(BINARY, data, data.byteLength);
    });
    socket.addEventListener("close", ({ code, reason }) => arrived(CLOSE, reason, 0, code));
    socket.addEventListener("error", ({ message }) => arrived(FAILED, message || "the connection broke off", 0));
    socket.accept();
  }

  // Resolves to the kind of the next message once it is there.
  async ready() {
    if (this.#queue.length === 0) await new Promise((resolve) => (this.#wake = resolve));
    return this.#queue[0].kind;
  }

  get code() {
    return this.#queue[0].code;
  }

  // The next message: its text, a close's reason or a failure's as UTF-8.
  take() {
    const { data, size } = this.#queue.shift();
    this.#held -= size;
    return typeof data === "string" ? utf8(data) : new Uint8Array(data);
  }

  sendText(text) {
    this.#socket.send(text);
  }

  sendBytes(bytes) {
    this.#socket.send(bytes.slice());
  }

  close(code, reason) {
    try {
      if (code === 0) this.#socket.close();
      else this.#socket.close(code, reason);
    } catch {
      // Closed already.
    }
  }
}

// The WebSocket of an answer that switches protocols.
export function socketOf(response, limit) {
  return response.webSocket ? new Socket(response.webSocket, limit) : undefined;
}

// Statements and their values as JSON, in one transaction of an object's database; resolves at once to the rows of each, as JSON.
export function sqlBatch(storage, statements) {
  const run = ({ sql, values }) => storage.sql.exec(sql, ...values).toArray();
  const rows = storage.transactionSync(() => JSON.parse(statements).map(run));
  // Bytes have no form in JSON.
  return encoder.encode(JSON.stringify(rows, (_, value) => (value instanceof ArrayBuffer ? null : value)));
}

// Undoes what `body` has written when it says so.
export function sqlTransaction(storage, body) {
  const undone = {};
  try {
    storage.transactionSync(() => {
      if (!body()) throw undone;
    });
  } catch (thrown) {
    if (thrown !== undone) throw thrown;
  }
}
