import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * A change that was tried: a patch with a head of `Name: value` lines before the diff.
 *
 * `Title` says what is tried in a few words, `Base` is the commit it is a patch of, `Verdict` is what became of it and why.
 */
export interface Trial {
	readonly name: string;
	readonly title: string;
	readonly base: string;
	readonly verdict: string;
	/** The diff, without the head. */
	readonly patch: string;
}

const FOLDER = fileURLToPath(new URL("./patches/", import.meta.url));

/** All trials, by name; of those named, these. */
export function listTrials(names: readonly string[] = [], folder: string = FOLDER): Trial[] {
	const all = readdirSync(folder)
		.filter((file) => file.endsWith(".patch"))
		.map((file) => file.slice(0, -".patch".length))
		.sort();
	const unknown = names.find((name) => !all.includes(name));
	if (unknown !== undefined) throw new Error(`there is no trial ${unknown}: there are ${all.join(", ")}`);
	return (names.length === 0 ? all : names).map((name) =>
		parseTrial(name, readFileSync(`${folder}${name}.patch`, "utf8")),
	);
}

export function parseTrial(name: string, text: string): Trial {
	const at = text.startsWith("diff ") ? 0 : text.indexOf("\ndiff ") + 1;
	const head = text.slice(0, at);
	const field = (key: string) => {
		const value = new RegExp(`^${key}: (.+(?:\\n .+)*)$`, "m").exec(head)?.[1]?.replaceAll(/\n +/g, " ");
		if (value === undefined) throw new Error(`${name}.patch has no line "${key}: ..." above its diff`);
		return value;
	};
	return { name, title: field("Title"), base: field("Base"), verdict: field("Verdict"), patch: text.slice(at) };
}
