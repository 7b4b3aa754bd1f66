/** Must equal METRIC_CODES in ../src/layout.ts. */
export const L2: i32 = 0;
export const IP: i32 = 1;
export const COSINE: i32 = 2;
export const L1: i32 = 3;
export const HAMMING: i32 = 4;
