/**
 * A document of sections, each between two marks, so that one can be measured again and the others stay as they were measured.
 */
const begin = (name: string) => `<!-- section ${name} -->`;
const END = "<!-- end of section -->";

/** The sections of a document by their names, without the marks. */
export function sectionsOf(document: string): Map<string, string> {
	const sections = new Map<string, string>();
	for (const part of document.split("<!-- section ").slice(1)) {
		const name = part.slice(0, part.indexOf(" -->"));
		const end = part.indexOf(END);
		if (end < 0) throw new Error(`section ${name} of the document has lost its mark "${END}": put it back.`);
		sections.set(name, part.slice(part.indexOf("-->") + 3, end).trim());
	}
	return sections;
}

/**
 * A document of which one section is written anew, and everything else stays as it is; where it has no such section, that comes at its end.
 */
export function withSection(document: string, name: string, text: string): string {
	const section = `${begin(name)}\n\n${text.trim()}\n\n${END}`;
	if (!sectionsOf(document).has(name)) return `${[document.trim(), section].filter(Boolean).join("\n\n")}\n`;
	const from = document.indexOf(begin(name));
	const to = document.indexOf(END, from) + END.length;
	return document.slice(0, from) + section + document.slice(to);
}

/** The document again: `head`, then the sections that there are, in the order of `names`. */
export function documentOf(head: string, names: readonly string[], sections: ReadonlyMap<string, string>): string {
	const parts = names
		.filter((name) => sections.has(name))
		.map((name) => `${begin(name)}\n\n${sections.get(name)}\n\n${END}`);
	return `${[head, ...parts].join("\n\n")}\n`;
}
