// Times the search of a Worker from outside, and prints a table in Markdown. `fill` keeps the object's vectors; `measure` comes after a restart.

const worker = process.env.WORKER_URL;
const COUNT = 50_000;

async function ask(path) {
  const answer = await fetch(new URL(path, worker), { method: "POST" });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
  return text;
}

async function took(path) {
  const start = performance.now();
  await ask(path);
  return performance.now() - start;
}

// Milliseconds of one of the `times`, without what a request takes: the median of rounds.
async function each(path, times, rounds = 9) {
  const found = [];
  for (let round = 0; round < rounds; round++) {
    const none = await took(`${path}times=0`);
    found.push(((await took(`${path}times=${times}`)) - none) / times);
  }
  return found.sort((a, b) => a - b)[rounds >> 1];
}

const megabytes = async () => (Number(await ask("/memory")) / 1e6).toFixed(0);

if (process.argv[2] === "fill") {
  for (const int8 of [1, 0]) {
    const start = performance.now();
    for (let from = 0; from < COUNT; from += 5_000) await ask(`/object/fill?int8=${int8}&from=${from}&count=5000`);
    const name = int8 ? "int8" : "f32";
    console.log(`${COUNT} vectors written to the object, ${name}: ${((performance.now() - start) / 1e3).toFixed(1)} s`);
  }
} else if (process.argv[2] === "object") {
  const int8 = process.argv[3] === "int8" ? 1 : 0;
  const before = await megabytes();
  const woken = await took(`/object/search?int8=${int8}&times=1`);
  const search = await each(`/object/search?int8=${int8}&`, 50);
  const name = int8 ? "int8" : "f32";
  console.log(`| object, 50,000 x 384, ${name}, a request each | ${search.toFixed(2)} ms | first after waking ${woken.toFixed(0)} ms; memory of WebAssembly ${before} MB before, ${await megabytes()} MB after |`);
} else {
  const copy = await each("/copy?", 400);
  console.log(`| memory copied, 15.4 MB | ${copy.toFixed(3)} ms | ${(15.36 / copy).toFixed(1)} GB/s |`);
  for (const [name, int8] of [["f32", 0], ["int8", 1]]) {
    await ask(`/memory/fill?int8=${int8}&count=10000`);
    const search = await each("/memory/search?", 400);
    console.log(`| memory, 10,000 x 384, ${name} | ${search.toFixed(3)} ms | ${(10 / search).toFixed(1)} M vectors/s |`);
  }
}
