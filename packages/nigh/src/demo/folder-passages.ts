import { createHash } from "node:crypto";
import { NighError } from "@nigh/contract";
import { readTexts } from "./folder.ts";
import { markdownPassages, type Passage, typescriptPassages } from "./passages.ts";
import { withoutQuestions } from "./questions.ts";

/** Above it, files are left out: the vectors of a whole disk would not fit into memory. */
const MOST_PASSAGES = 50_000;

/** What is to be searched in a folder. */
export interface FolderPassages {
	/** In the order of the files. */
	readonly passages: readonly Passage[];
	/** Files that would have been too much. */
	readonly leftOut: number;
}

/**
 * The passages of the texts of a folder, at most so many; of more, whole files are left out, from all over the folder.
 *
 * @throws NighError `NOT_FOUND`: no such folder, or no text in it; `INVALID_OPTION`: it is a file.
 */
export async function passagesOf(folder: string, most = MOST_PASSAGES): Promise<FolderPassages> {
	const passages = (await readTexts(folder)).flatMap(({ path, kind, text }) =>
		kind === "markdown" ? markdownPassages(path, text) : typescriptPassages(path, text),
	);
	const usable = withoutQuestions(passages);
	if (usable.length > 0) return withinLimit(usable, most);
	throw new NighError(
		"NOT_FOUND",
		`${folder} has no Markdown or TypeScript file with text in it (node_modules, dist, generated and hidden folders are passed over). Name another folder: nigh demo FOLDER.`,
		{ field: "FOLDER", value: folder },
	);
}

function withinLimit(passages: readonly Passage[], most: number): FolderPassages {
	if (passages.length <= most) return { passages, leftOut: 0 };
	const files = [...Map.groupBy(passages, ({ file }) => file)];
	// By a hash of the path: from all over the folder, and the same ones whenever another file comes or goes.
	const shuffled = files.map(([file, own]) => ({ key: hash(file), own })).sort((a, b) => (a.key < b.key ? -1 : 1));
	const kept = new Set<Passage>();
	let left = shuffled.length;
	for (const { own } of shuffled) {
		if (kept.size + own.length > most && kept.size > 0) break;
		for (const passage of own) kept.add(passage);
		left--;
	}
	return { passages: passages.filter((passage) => kept.has(passage)), leftOut: left };
}

function hash(path: string): string {
	return createHash("sha256").update(path).digest("hex");
}
