/**
 * What an engine is asked with: its knobs by name, as in `{ nprobe: 8, rerank: 100 }`; `{}` for an engine without any. The names are
 * those of the field and the same in every engine: `ef` (width of a graph's beam), `nprobe` (cells scanned), `rerank` (candidates whose
 * exact vectors decide).
 */
export type Setting = Readonly<Record<string, number>>;

/** Knobs that count candidates. Fewer than k find fewer than k: some engines widen them without a word, others refuse them. */
export const CANDIDATE_KNOBS: readonly string[] = ["ef", "rerank"];

const NO_KNOBS = "-";
const WORD = /^[a-z]+=\d+(,[a-z]+=\d+)*$/;

/** A setting as one word of the protocol: `nprobe=8,rerank=100`, or `-`. */
export function settingWord(setting: Setting): string {
	const knobs = Object.entries(setting);
	return knobs.length === 0 ? NO_KNOBS : knobs.map(([name, value]) => `${name}=${value}`).join(",");
}

/** @throws Error where the word is none that {@link settingWord} writes. */
export function parseSetting(word: string): Setting {
	if (word === NO_KNOBS) return {};
	if (!WORD.test(word))
		throw new Error(`${word} is no setting: it has to be like nprobe=8,rerank=100, or ${NO_KNOBS}.`);
	const knobs = word.split(",").map((each) => each.split("=") as [name: string, value: string]);
	return Object.fromEntries(knobs.map(([name, value]) => [name, Number(value)]));
}

/** The value of a knob that an engine was asked with. */
export function knob(setting: Setting, name: string): number {
	const value = setting[name];
	if (value === undefined) throw new Error(`the setting ${settingWord(setting)} has no ${name}`);
	return value;
}

/** A setting in words, for tables: `nprobe 8, rerank 100`, or `none`. */
export function settingText(setting: Setting): string {
	const knobs = Object.entries(setting);
	return knobs.length === 0 ? "none" : knobs.map(([name, value]) => `${name} ${value}`).join(", ");
}

/** All combinations of the knobs' values, the last knob's changing first. Values that ascend make settings from fast to sure. */
export function grid(knobs: Readonly<Record<string, readonly number[]>>): Setting[] {
	return Object.entries(knobs).reduce<Setting[]>(
		(settings, [name, values]) => settings.flatMap((setting) => values.map((value) => ({ ...setting, [name]: value }))),
		[{}],
	);
}

/** Whether a setting looks at no less than another of the same engine, whichever knob is turned. */
export function covers(wide: Setting, narrow: Setting): boolean {
	return Object.entries(narrow).every(([name, value]) => knob(wide, name) >= value);
}

/**
 * An engine's settings with the values that were asked for in place of its own, for every knob that it has; candidates are at least k.
 * Each setting once.
 */
export function settingsWith(
	own: readonly Setting[],
	asked: Readonly<Record<string, readonly number[]>>,
	k: number,
): Setting[] {
	const names = Object.keys(own[0] ?? {});
	const replaced = names.some((name) => asked[name] !== undefined);
	const values = (name: string) => asked[name] ?? [...new Set(own.map((setting) => knob(setting, name)))];
	const settings = replaced ? grid(Object.fromEntries(names.map((name) => [name, values(name)]))) : own;
	const atLeastK = settings.map((setting) =>
		Object.fromEntries(
			Object.entries(setting).map(([name, value]) => [
				name,
				CANDIDATE_KNOBS.includes(name) ? Math.max(value, k) : value,
			]),
		),
	);
	return [...new Map(atLeastK.map((setting) => [settingWord(setting), setting])).values()];
}
