/** What the page's code finds in every browser and a bare shell lacks. It is here before that code is. */

const host = /** @type {any} */ (globalThis);

host.TextDecoder ??= class {
  /** @param {ArrayBuffer | Uint8Array} bytes */
  decode(bytes) {
    let text = '';
    for (const byte of new Uint8Array(bytes)) text += String.fromCharCode(byte);
    return decodeURIComponent(escape(text)); // from UTF-8
  }
};

// The module seeds its hash tables with it, and nothing that it draws.
host.crypto ??= {
  /** @param {Uint8Array} bytes */
  getRandomValues(bytes) {
    for (let i = 0; i < bytes.length; i++) bytes[i] = Math.random() * 256;
    return bytes;
  },
};

host.console ??= { warn: host.printErr };
