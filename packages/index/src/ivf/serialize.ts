import { writeImage } from "../image.ts";
import type { InvertedFile } from "./inverted-file.ts";
import { sectionAddress, sectionBytes, stateOf } from "./parts.ts";

/** The inverted file as an image: its parts behind a header, with checksums. */
export function serializeIvf(file: InvertedFile): Iterable<Uint8Array> {
	const state = stateOf(file);
	const sections = sectionBytes(file, state).map(([name, bytes]) => ({
		name,
		bytes,
		address: sectionAddress(file, name),
	}));
	return writeImage(file.arena, "ivf", state, sections);
}
