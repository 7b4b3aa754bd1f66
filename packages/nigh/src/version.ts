import { readFileSync } from "node:fs";

/** The version of this package, from its manifest, which stands beside `src` and beside `dist`. */
export function ownVersion(): string {
	const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
	return String(manifest.version);
}
