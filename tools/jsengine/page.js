/** A page that starts as many workers as its address asks for. */

const threads = Number(new URL(location.href).searchParams.get('threads'));
for (let i = 0; i < threads; i++) {
  const worker = new Worker('worker.js', { type: 'module' });
  worker.onmessage = () => close(); // whoever asks is gone: so that no browser is left behind
  worker.onerror = () => close();
}
