/** What a search begins from: SEED and COUNT of the environment, else a new seed and as many as a few minutes hold. */

const whole = (name: string): number | undefined => {
  const text = process.env[name];
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${name} must be a whole number`);
  return Number(text);
};

export const SEED: number = whole('SEED') ?? Math.floor(Math.random() * 2 ** 31);
export const COUNT: number = whole('COUNT') ?? 320;
