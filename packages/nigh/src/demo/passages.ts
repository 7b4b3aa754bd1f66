/** A piece of a file that makes sense on its own. */
export interface Passage {
	/** Path from the folder, with forward slashes. */
	readonly file: string;
	/** Line it begins on, counted from 1. */
	readonly line: number;
	/** The headings it stands under, outermost first; empty in source code. */
	readonly headings: readonly string[];
	readonly text: string;
}

/** Lines between two blank ones (or other borders), with the line they begin on. */
interface Block {
	readonly line: number;
	readonly text: string;
	/** Whether something new begins here, so that a passage that has grown enough ends before it. */
	readonly isBeginning: boolean;
}

/** A passage ends when the next block would make it longer. The embedder looks at 512 characters, headings included. */
export const LONGEST_PASSAGE = 480;
/** From here on a passage ends where something new begins. */
const ENOUGH = 160;

/** Splits Markdown by headings, then paragraphs. A fenced block of code stays with its blank lines. */
export function markdownPassages(file: string, source: string): Passage[] {
	const passages: Passage[] = [];
	let headings: string[] = [];
	let blocks: Block[] = [];
	let open: string[] = [];
	let openLine = 0;
	let fence: string | undefined;
	const endBlock = () => {
		if (open.length > 0) blocks.push({ line: openLine, text: open.join("\n"), isBeginning: false });
		open = [];
	};
	const endSection = () => {
		endBlock();
		passages.push(...packed(blocks).map((block) => ({ file, line: block.line, headings, text: block.text })));
		blocks = [];
	};
	for (const [at, line] of linesOf(source).entries()) {
		const marks = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
		const heading = fence === undefined ? /^(#{1,6})\s+(.*?)\s*#*\s*$/.exec(line) : null;
		if (heading !== null) {
			endSection();
			const [, level = "", title = ""] = heading;
			headings = [...headings.slice(0, level.length - 1), title];
			continue;
		}
		if (fence === undefined && line.trim() === "") {
			endBlock();
			continue;
		}
		if (marks !== undefined) fence = nextFence(fence, marks);
		if (open.length === 0) openLine = at + 1;
		open.push(line);
	}
	endSection();
	return passages;
}

/** Splits TypeScript at blank lines, leaving out imports; a doc comment stays with its declaration, a declaration begins something new. */
export function typescriptPassages(file: string, source: string): Passage[] {
	const blocks: Block[] = [];
	let open: string[] = [];
	let openLine = 0;
	let isImport = false;
	const endBlock = () => {
		const [first] = open;
		// Not indented, and no closing bracket: the outermost level of the file.
		if (first !== undefined)
			blocks.push({ line: openLine, text: open.join("\n"), isBeginning: /^[^\s)}\]]/.test(first) });
		open = [];
	};
	for (const [at, line] of linesOf(source).entries()) {
		const isBlank = line.trim() === "";
		isImport ||= /^import[\s{"']/.test(line);
		if (isBlank) {
			isImport = false;
			endBlock();
		} else if (isImport) {
			// An import ends on the line that names its module.
			isImport = !/["'][^"']*["']/.test(line);
		} else {
			if (open.length === 0) openLine = at + 1;
			open.push(line);
		}
	}
	endBlock();
	return packed(blocks).map(({ line, text }) => ({ file, line, headings: [], text }));
}

/** Joins blocks into pieces of at most {@link LONGEST_PASSAGE} characters; a longer block is cut between lines, a longer line anywhere. */
function packed(blocks: readonly Block[]): Block[] {
	const pieces: Block[] = [];
	let current: Block | undefined;
	for (const block of blocks.flatMap(cut)) {
		const joined: string | undefined = current === undefined ? undefined : `${current.text}\n\n${block.text}`;
		const isFull = current !== undefined && block.isBeginning && current.text.length >= ENOUGH;
		if (current !== undefined && joined !== undefined && joined.length <= LONGEST_PASSAGE && !isFull) {
			current = { ...current, text: joined };
			continue;
		}
		if (current !== undefined) pieces.push(current);
		current = block;
	}
	if (current !== undefined) pieces.push(current);
	return pieces.filter(({ text }) => /[\p{L}\p{N}]/u.test(text));
}

function cut(block: Block): Block[] {
	if (block.text.length <= LONGEST_PASSAGE) return [block];
	const pieces: Block[] = [];
	let text = "";
	let line = block.line;
	const end = (nextLine: number) => {
		if (text !== "") pieces.push({ line, text, isBeginning: block.isBeginning && pieces.length === 0 });
		text = "";
		line = nextLine;
	};
	block.text.split("\n").forEach((each, offset) => {
		const at = block.line + offset;
		if (text.length + 1 + each.length > LONGEST_PASSAGE) end(at);
		for (let from = 0; from < each.length; from += LONGEST_PASSAGE) {
			if (from > 0) end(at);
			const part = each.slice(from, from + LONGEST_PASSAGE);
			text = text === "" ? part : `${text}\n${part}`;
		}
	});
	end(0);
	return pieces;
}

/** A fence is closed by at least as many of the same marks as it was opened with. */
function nextFence(fence: string | undefined, marks: string): string | undefined {
	if (fence === undefined) return marks;
	return marks[0] === fence[0] && marks.length >= fence.length ? undefined : fence;
}

function linesOf(source: string): string[] {
	return source.split(/\r\n|\n|\r/);
}
