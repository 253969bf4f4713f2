/** The degradation language, as far as a card's has to be read: stages joined by `+`, chains by `|`, values such as `noise:0-55g`. */

/** What a model was trained to undo: its stages' names, and the smallest and largest value of each, 0 where a chain goes without it. */
export class Trained {
  /** @param {string} spec */
  constructor(spec) {
    this.chains = spec.split("|").map((chain) =>
      chain.split("+").map((stage) => {
        const [name, value = ""] = stage.split(":").map((part) => part.trim());
        const numbers = value.replace(/g$/, "").split("-").map(Number);
        return { name, low: value ? numbers[0] : 0, high: value ? numbers[numbers.length - 1] : 0 };
      }),
    );
    this.names = new Set(this.chains.flat().map(({ name }) => name));
  }

  /** Whether it stands for what somebody's own pairs show. */
  get isOwn() {
    return this.names.has("own");
  }

  /** @param {string} name @returns {[number, number] | undefined} */
  span(name) {
    if (!this.names.has(name)) return undefined;
    const values = this.chains.flatMap((chain) => {
      const found = chain.filter((stage) => stage.name === name);
      return found.length ? found : [{ low: 0, high: 0 }];
    });
    return [Math.min(...values.map(({ low }) => low)), Math.max(...values.map(({ high }) => high))];
  }
}
