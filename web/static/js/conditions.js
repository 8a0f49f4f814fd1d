/** What the browser tells of the machine that it runs on. Each of these may be missing, and often is. */

/** @typedef {import('./rest.js').Conditions} Conditions */

/**
 * Watches the conditions.
 * @param {(conditions: Conditions) => void} changed  called at once, and whenever one of them changes
 */
export function watchConditions(changed) {
  const { connection, getBattery } = /** @type {any} */ (navigator);
  /** @type {Conditions} */
  const conditions = {
    hidden: document.hidden,
    battery: { charging: true, level: 1 },
    saving: connection?.saveData === true,
    pressed: false,
  };
  /** @param {Partial<Conditions>} change */
  const note = (change) => changed(Object.assign(conditions, change));

  document.addEventListener('visibilitychange', () => note({ hidden: document.hidden }));
  connection?.addEventListener?.('change', () => note({ saving: connection.saveData === true }));
  getBattery?.call(navigator).then(
    (/** @type {any} */ battery) => {
      const read = () => note({ battery: { charging: battery.charging, level: battery.level } });
      for (const event of ['chargingchange', 'levelchange']) battery.addEventListener(event, read);
      read();
    },
    () => {}, // forbidden
  );
  const { PressureObserver } = /** @type {any} */ (globalThis);
  if (PressureObserver) {
    const observer = new PressureObserver((/** @type {{ state: string }[]} */ records) => {
      const state = records.at(-1)?.state;
      note({ pressed: state === 'serious' || state === 'critical' });
    });
    observer.observe('cpu', { sampleInterval: 2_000 }).catch(() => {}); // forbidden
  }
  changed(conditions);
}
