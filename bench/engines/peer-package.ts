import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Where `npm run bench:setup` puts a file of a peer's package. */
export function peerFile(name: string, file: string): string {
	return fileURLToPath(new URL(`../node_modules/${name}/${file}`, import.meta.url));
}

/** A peer with the version that is installed, as in `usearch 2.26.2`. */
export function peerVersion(name: string): string {
	// By its path: the `exports` of most packages do not name their package.json.
	const manifest = JSON.parse(readFileSync(peerFile(name, "package.json"), "utf8"));
	return `${name} ${manifest.version}`;
}
