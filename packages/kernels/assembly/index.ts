/**
 * The kernels of Nigh, compiled twice: SIMD128 alone, and with relaxed SIMD (of which only the exact integer instructions are
 * used). Every function has a scalar twin of the same name and arguments in ../src/twin, equal to it bit for bit.
 *
 * All state is in the memory that is passed in: rows, graphs and scratch are addresses. Rows start at multiples of 16 bytes,
 * their byte length is a multiple of 16, and what lies behind the last dimension is zero.
 */
export { bfs, permuteRows, remapLinks } from "./graph/arrange";
export { insertRange } from "./graph/insert";
export { linkRange } from "./graph/link";
export { repairRange } from "./graph/repair";
export { searchGraph, searchMatching, searchRange } from "./graph/search";
export { checksum } from "./checksum";
export { boundMany, boundScan, residual } from "./bounds";
export { codeDot, codeKeysBlock, codeKeysMany, codeKeysTiles, codeL2 } from "./codes";
export { distance, distanceBlock, distanceMany, distanceTiles } from "./distance";
export { encodePlanes, encodeRow, encodeSigned } from "./encode";
export { assignRange } from "./kmeans/assign";
export { meanRange } from "./kmeans/mean";
export { encodeMany, nearestMany } from "./many";
export { listEligible, listMatches, sampleMatches } from "./matches";
export { normalizeRow, scaleRow, sumOfSquares } from "./prepare";
export { rabitqEncode } from "./rabitq/encode";
export { rabitqPrepare, rabitqProbe } from "./rabitq/query";
export { rabitqScan } from "./rabitq/scan";
export { rotateRow } from "./rotate";
export { topk } from "./topk";
export { fastScan, putFastCodes } from "./cells/fast-scan";
export { listCells } from "./cells/list";
export { rabitqCells } from "./cells/rabitq-cells";
export { productDecode, productEncode, productScan, productTables, quantizeTables } from "./cells/product-codes";
