import type { InvertedFile } from "./inverted-file.ts";
import type { IvfView } from "./view.ts";

/** A trained file as a search by its owner reads it. */
export function viewOf(file: InvertedFile): IvfView {
	const { arena, rows, parameters, scalar, learnt } = file;
	if (learnt === undefined) throw new RangeError("there is nothing to search before the file has been trained");
	const { coarse, product, rabitq } = learnt;
	const { projection, codes } = coarse;
	return {
		arena,
		rows,
		parameters,
		cells: file.address,
		nlist: coarse.nlist,
		projection,
		mean: projection.mean,
		centroids: coarse.centroids,
		centroidBytes: coarse.bytes,
		coarseCodes: codes === undefined ? undefined : { coder: codes, rows: coarse.codeRows, stride: coarse.codeStride },
		product,
		rabitq,
		scalar: scalar === undefined ? undefined : { codes: scalar, codeRows: file.codeRows, errors: file.errors },
		vectors: file.vectors,
		labels: file.labelsAddress,
		leastTerms: file.cells.leastTermsAddress,
		slots: () => file.slots,
	};
}
